package dev.understudy.protocol;

/// One copy of a database's data from one host to another, and the secret by which both know each other. It is made by
/// the controller, told to both in their orders, and good for one connection.
///
/// @param copy names the copy, such as `R12.1`: the rebuild and its attempt
/// @param token 256 random bits in hex
public record CopyTicket(String copy, String token) {

    public CopyTicket {
        if (!copy.matches("R\\d{1,18}\\.\\d{1,4}") || !token.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("no ticket: " + copy);
        }
    }

    /// Without the token: this may stand in a log.
    @Override
    public String toString() {
        return "CopyTicket[copy=" + copy + "]";
    }
}
