/// Services of the host behind [dev.understudy.agent.act.ServiceControl]: by systemd, or by fixed commands and a pid
/// file.
@NullMarked
package dev.understudy.agent.act.service;

import org.jspecify.annotations.NullMarked;
