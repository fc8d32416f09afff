import { scrubbedEnvironment } from "../vector/environment.ts";
import { VectorFinder, compareVersions } from "../vector/executable.ts";
import { oldestVersion, vectorVersion } from "../vector/releases.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";

/** Whether there is a Vector, and one that can be supervised. */
export async function vectorFinding(
  dataDir: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Finding> {
  const finder = new VectorFinder({ env, vectorEnv: scrubbedEnvironment(env), dataDir });
  const found = await finder.look();
  if (found.kind === "missing") {
    return problem(
      "vector",
      found.problem,
      `install-vector ${vectorVersion} downloads the release that this agent was tested with`,
    );
  }
  const { path, version, simulated } = found.executable;
  const text = `${version} at ${path}`;
  if (simulated) {
    return warning(
      "vector",
      `${text} is vector-sim, a stand-in for trying things out`,
      `install-vector ${vectorVersion}, then take VECTOR_BIN out of the environment`,
    );
  }
  if (compareVersions(version, oldestVersion) < 0) {
    return problem(
      "vector",
      `${text} is too old: ${oldestVersion} is the oldest that works`,
      `install-vector ${vectorVersion}; VECTOR_BIN names which one is used`,
    );
  }
  return ok("vector", text);
}
