/** What the service starts. */
export interface UnitOptions {
  /** The executable and its arguments. */
  readonly command: readonly string[];
  readonly environmentFile: string;
  readonly dataDir: string;
  /** How long the agent's pipelines may deliver what they hold before it ends. */
  readonly drainSecs: number;
}

const control = /\p{Cc}/u;

/**
 * One argument of ExecStart. systemd expands `%` and `$`, and reads quotes and backslashes. Throws for what cannot
 * be written at all.
 */
export function quoteArgument(text: string): string {
  if (control.test(text))
    throw new Error("an argument of a service cannot hold control characters");
  const escaped = text.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[A-Za-z0-9_@%+=:,./$-]+$/.test(escaped)) return escaped;
  return `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** One line of an environment file. */
export function environmentLine(name: string, value: string): string {
  if (control.test(value)) throw new Error(`${name} cannot hold control characters`);
  return `${name}="${value.replaceAll(/[\\"$`]/g, (character) => `\\${character}`)}"`;
}

/**
 * The service. It is hardened as far as Vector's work allows: pipelines read logs anywhere, write files, listen on
 * low ports and start programs, so that the file system stays writable outside /usr, /boot and /etc, and the
 * capabilities for that work stay.
 */
export function renderUnit({ command, environmentFile, dataDir, drainSecs }: UnitOptions): string {
  return `# Written by vectorflow-agent install. Put changes of your own into a drop-in:
# systemctl edit vectorflow-agent
[Unit]
Description=VectorFlow agent
Documentation=https://vector.dev
Wants=network-online.target
After=network-online.target
# It is tried again for as long as it takes.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command.map(quoteArgument).join(" ")}
EnvironmentFile=-${quoteArgument(environmentFile)}
Restart=always
RestartSec=2
# The agent ends its pipelines in order. If it dies itself they go on, and the next one takes over
# from them: a crash of the agent must not cost events.
KillMode=process
TimeoutStopSec=${drainSecs + 30}
# A pipeline that runs out of memory must not take the others with it.
OOMPolicy=continue
# Limits per pipeline are control groups below the service's own.
Delegate=yes
DelegateSubgroup=agent
LimitNOFILE=1048576
TasksMax=infinity
StandardOutput=journal
StandardError=journal
SyslogIdentifier=vectorflow-agent
UMask=0077
WorkingDirectory=/

NoNewPrivileges=yes
ProtectSystem=full
ReadWritePaths=-${quoteArgument(dataDir)}
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectHostname=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID CAP_SYS_NICE CAP_SYS_PTRACE CAP_SYS_RESOURCE

[Install]
WantedBy=multi-user.target
`;
}
