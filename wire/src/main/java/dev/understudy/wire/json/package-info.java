/// Records and sealed interfaces as JSON. Start with [dev.understudy.wire.json.MessageCodec].
@NullMarked
package dev.understudy.wire.json;

import org.jspecify.annotations.NullMarked;
