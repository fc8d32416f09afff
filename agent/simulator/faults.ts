/**
 * Faults that vector-sim shows on request. They come from `VECTOR_SIM_FAULT`, or from a comment line
 * in a config file (`# vector-sim: crash-after=2`), which reaches the process even where the
 * supervisor scrubs its environment. A file's faults apply from the load that read it.
 */
export interface Faults {
  /** Start (not `validate`) ends with a configuration error and code 78. */
  readonly exitAtStart: boolean;
  /** A component dies this long after start, or after the reload that brought the fault. */
  readonly crashAfterMs: number | undefined;
  /** A reload gets stuck after its first line; signals are then logged and not acted on. */
  readonly hangOnReload: boolean;
  /** A component dies at the moment of a reload. */
  readonly crashOnReload: boolean;
  /** Components never finish: shutdown lasts until its limit, or for ever without one. */
  readonly neverDrain: boolean;
  /** Every reload is rejected as if a global option had changed. */
  readonly reloadGlobalChanged: boolean;
  /** `validate` waits this long before it reports. */
  readonly slowValidateMs: number;
  /** The metrics page accepts requests and never answers, from so long after its start on. */
  readonly hangMetricsAfterMs: number | undefined;
  /** After a reload, sources take events in and pass none on. */
  readonly stallAfterReload: boolean;
  /** A reload cannot build its components: the old configuration is restored. */
  readonly reloadBuildFails: boolean;
  /** The same, and the old configuration cannot be restored either. */
  readonly restoreFails: boolean;
  /** Listening sources find their port taken. */
  readonly portTaken: boolean;
}

const marker = /^\s*#\s*vector-sim:(.*)$/gm;

/** The faults of the environment variable and of the raw text of the config files. */
export function parseFaults(env: string | undefined, configText: string): Faults {
  const requests = [env ?? "", ...[...configText.matchAll(marker)].map((match) => match[1] ?? "")];
  const named = new Map<string, string>();
  for (const request of requests.flatMap((text) => text.split(/[\s,]+/))) {
    const [name = "", value = ""] = request.split("=");
    if (name !== "") named.set(name, value);
  }
  const ms = (name: string): number | undefined => {
    const value = named.get(name);
    return value === undefined ? undefined : Math.max(0, Number(value) || 0) * 1000;
  };
  return {
    exitAtStart: named.has("exit-at-start"),
    crashAfterMs: ms("crash-after"),
    hangOnReload: named.has("hang-on-reload"),
    crashOnReload: named.has("crash-on-reload"),
    neverDrain: named.has("never-drain"),
    reloadGlobalChanged: named.has("reload-global-changed"),
    slowValidateMs: ms("slow-validate") ?? 0,
    hangMetricsAfterMs: ms("hang-metrics"),
    stallAfterReload: named.has("stall-after-reload"),
    reloadBuildFails: named.has("reload-build-fails") || named.has("restore-fails"),
    restoreFails: named.has("restore-fails"),
    portTaken: named.has("port-taken"),
  };
}
