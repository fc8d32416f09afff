import { constants, existsSync } from "node:fs";
import { access, readFile, rm, stat, statfs, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { lockHolder } from "../state/data-dir-lock.ts";
import { messageOf } from "../text.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";

const lowSpaceBytes = 1024 ** 3;
const noSpaceBytes = 100 * 1024 ** 2;
/** Number of CAP_NET_BIND_SERVICE. */
const bindService = 10n;

/** Whether systemd runs this machine. */
export function hasSystemd(): boolean {
  return existsSync("/run/systemd/system");
}

/** Whether this is a container; what kind of one. */
export async function containerKind(): Promise<string | undefined> {
  if (existsSync("/.dockerenv")) return "Docker";
  if (existsSync("/run/.containerenv")) return "Podman";
  if (process.env["KUBERNETES_SERVICE_HOST"] !== undefined) return "Kubernetes";
  const environ = await readFile("/proc/1/environ", "utf8").catch(() => "");
  return /(?:^|\0)container=([^\0]+)/.exec(environ)?.[1];
}

/** What the host itself says, without any network. */
export async function hostFindings(dataDir: string): Promise<readonly Finding[]> {
  return [
    await platformFinding(),
    ...(await dataDirFindings(dataDir)),
    await loopbackFinding(),
    await lowPortsFinding(),
    await cgroupFinding(),
    ...(await serviceFindings()),
    await agentFinding(dataDir),
  ];
}

async function platformFinding(): Promise<Finding> {
  const text = `${process.platform}/${process.arch}, Node ${process.versions.node}`;
  if (process.platform === "linux") return ok("platform", text);
  if (process.platform === "darwin") {
    return warning(
      "platform",
      text,
      "macOS works, without limits per pipeline and without a service; Linux is what hosts should run",
    );
  }
  return problem("platform", `${text} is not supported`, "run the agent on Linux or macOS");
}

/** The folder itself, or the nearest one above it that exists. */
async function nearest(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (folder === dirname(folder) || (await stat(folder).catch(() => undefined)) !== undefined) {
      return folder;
    }
  }
}

async function dataDirFindings(dataDir: string): Promise<readonly Finding[]> {
  const folder = await nearest(dataDir);
  const advice = `choose another place with --data-dir, or let this account write to ${folder}`;
  const space = await spaceFinding(folder);
  if (folder !== dataDir) {
    const writable = await access(folder, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    return writable
      ? [ok("data directory", `${dataDir} will be made`), space]
      : [problem("data directory", `${dataDir} cannot be made in ${folder}`, advice), space];
  }
  const found = await stat(folder);
  if (!found.isDirectory()) {
    return [problem("data directory", `${dataDir} is a file`, "choose another --data-dir"), space];
  }
  const probe = join(dataDir, `.doctor-${process.pid}`);
  try {
    await writeFile(probe, "", { flag: "wx", mode: 0o600 });
    await rm(probe);
  } catch (error) {
    return [problem("data directory", `cannot write: ${messageOf(error)}`, advice), space];
  }
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8);
    return [
      warning(
        "data directory",
        `${dataDir} is open to other accounts (${mode})`,
        `chmod 700 ${dataDir}`,
      ),
      space,
    ];
  }
  return [ok("data directory", `${dataDir} can be written`), space];
}

async function spaceFinding(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const text = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  const advice = "free some: configurations and disk buffers are kept here";
  if (free < noSpaceBytes) return problem("disk space", text, advice);
  return free < lowSpaceBytes ? warning("disk space", text, advice) : ok("disk space", text);
}

async function loopbackFinding(): Promise<Finding> {
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const probe = createServer();
  probe.once("error", (error) =>
    resolve(
      problem(
        "loopback",
        `no port can be opened on 127.0.0.1: ${error.message}`,
        "let the agent listen on the loopback interface: it reads Vector's metrics there",
      ),
    ),
  );
  probe.listen({ port: 0, host: "127.0.0.1" }, () =>
    probe.close(() => resolve(ok("loopback", "ports can be opened on 127.0.0.1"))),
  );
  return await promise;
}

/** From /proc/self/status: whether ports below 1024 may be opened. */
export function mayBindLowPorts(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> bindService) & 1n) === 1n;
}

async function lowPortsFinding(): Promise<Finding> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const first = Number(
    await readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8").catch(() => "1024"),
  );
  const isRoot = process.getuid?.() === 0;
  if (mayBindLowPorts(status) || first <= 1 || (status === "" && isRoot)) {
    return ok("low ports", "pipelines can listen on ports below 1024, such as 514");
  }
  return warning(
    "low ports",
    `pipelines cannot listen on ports below ${first}, such as 514`,
    "run the agent as root or with CAP_NET_BIND_SERVICE, or let pipelines use higher ports",
  );
}

async function cgroupFinding(): Promise<Finding> {
  const root = "/sys/fs/cgroup";
  const unavailable = (text: string, advice: string): Finding =>
    warning("cgroup v2", `${text}: limits per pipeline are unavailable`, advice);
  if (process.platform !== "linux") return unavailable(`${process.platform} has none`, "");
  const controllers = await readFile(join(root, "cgroup.controllers"), "utf8").catch(() => "");
  const missing = ["memory", "cpu"].filter((name) => !controllers.split(/\s+/).includes(name));
  if (missing.length > 0) {
    return unavailable(
      controllers === "" ? "not mounted" : `no ${missing.join(", ")} controller`,
      "boot with the unified cgroup hierarchy if limits are wanted",
    );
  }
  const own = await readFile("/proc/self/cgroup", "utf8").catch(() => "");
  const path = join(root, /^0::(.*)$/m.exec(own)?.[1] ?? "/");
  const writable = await access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
  return writable
    ? ok("cgroup v2", "memory and CPU of pipelines can be limited")
    : unavailable(
        "not delegated to this account",
        "install the service: its unit has Delegate=yes",
      );
}

async function serviceFindings(): Promise<readonly Finding[]> {
  const container = await containerKind();
  const place =
    container === undefined
      ? []
      : [
          warning(
            "container",
            `this is a container (${container}); it sees files and processes of its own only`,
            "keep the data directory on a volume, and mount the logs that pipelines shall read",
          ),
        ];
  if (hasSystemd()) return [ok("service manager", "systemd"), ...place];
  return [
    warning(
      "service manager",
      "there is no systemd here",
      container === undefined
        ? "let another supervisor start the agent at boot and again when it ends: the command is run"
        : "make run the container's command, and let the container be restarted always",
    ),
    ...place,
  ];
}

async function agentFinding(dataDir: string): Promise<Finding> {
  const pid = await lockHolder(dataDir);
  return pid === undefined
    ? ok("agent", "no agent runs in this data directory")
    : ok("agent", `an agent runs here, as process ${pid}`);
}
