import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { version } from "#common/version.ts";
import type { ServerDeps } from "../deps.ts";
import { createEnrollmentToken } from "../environments/environments.ts";
import { demoPipeline } from "../pipelines/demo.ts";
import { announceDeploy, publish } from "../pipelines/deployments.ts";
import { addPipeline } from "../pipelines/pipelines.ts";
import { callScope, callerKey } from "../rpc/call-scope.ts";
import { expiredCookie, sessionCookie } from "../rpc/session-cookie.ts";
import type { Scope } from "../scope.ts";
import { currentUser } from "./current-user-proto.ts";
import { completeSetup, readSettings, type SetupResult } from "./setup.ts";
import { signIn, signOut } from "./sign-in.ts";

/** First run, signing in and out. */
export function authRpc(deps: ServerDeps): ServiceImpl<typeof AuthService> {
  const setCookie = (ctx: HandlerContext, token: string): void => {
    ctx.responseHeader.set("set-cookie", sessionCookie(token, ctx.values.get(callerKey).secure));
  };
  return {
    async getSetupState(_request, ctx) {
      const settings = await readSettings(callScope(deps, ctx));
      const provider = settings.oidcDisplayName ?? "";
      return {
        setupRequired: settings.setupCompletedAt == null,
        version,
        singleSignOnName: settings.oidcEnabled ? provider || "single sign-on" : "",
      };
    },
    async completeSetup(request, ctx) {
      const scope = callScope(deps, ctx);
      const compiled = request.createDemoPipeline
        ? await deps.compiler.compile(demoPipeline.yaml, {
            secretNames: new Set<string>(),
            certificateNames: new Set<string>(),
          })
        : undefined;
      let demoPipelineId = "";
      const result = await completeSetup(
        scope,
        deps.passwords,
        { ...request, userAgent: ctx.requestHeader.get("user-agent") ?? undefined },
        async (tx, { environmentId }) => {
          if (compiled === undefined) return;
          const pipeline = await addPipeline(
            tx,
            { environmentId, ...demoPipeline },
            compiled.graph,
          );
          await publish(tx, pipeline, compiled, demoPipeline.yaml, "First look");
          await announceDeploy(tx, environmentId);
          demoPipelineId = pipeline.id;
        },
      );
      setCookie(ctx, result.token);
      if (deps.config.localAgent) await admitLocalAgent(deps, ctx, result);
      return {
        user: await currentUser(scope, deps.sealer, result.user.id),
        environmentId: result.environmentId,
        demoPipelineId,
      };
    },
    async login(request, ctx) {
      const scope = callScope(deps, ctx);
      const { user, token } = await signIn(scope, deps, {
        email: request.email,
        password: request.password,
        code: request.code,
        userAgent: ctx.requestHeader.get("user-agent") ?? undefined,
      });
      setCookie(ctx, token);
      return { user: await currentUser(scope, deps.sealer, user.id), sessionToken: token };
    },
    async logout(_request, ctx) {
      await signOut(callScope(deps, ctx));
      ctx.responseHeader.set("set-cookie", expiredCookie(ctx.values.get(callerKey).secure));
      return {};
    },
    async getSession(_request, ctx) {
      const scope = callScope(deps, ctx);
      const { actor } = scope;
      return {
        user: await currentUser(scope, deps.sealer, actor.kind === "user" ? actor.userId : ""),
      };
    },
  };
}

/** Lets the agent that `npm start` runs on this machine join the first environment. */
async function admitLocalAgent(
  deps: ServerDeps,
  ctx: HandlerContext,
  { user, environmentId, sessionId }: SetupResult,
): Promise<void> {
  const scope: Scope = {
    ...callScope(deps, ctx),
    actor: {
      kind: "user",
      userId: user.id,
      sessionId,
      email: user.email,
      name: user.name ?? undefined,
      isSuperAdmin: true,
      ipAddress: ctx.values.get(callerKey).ipAddress,
    },
  };
  const token = await createEnrollmentToken(scope, environmentId);
  const path = join(deps.config.dataDir, "local-enrollment-token");
  await writeFile(path, `${token}\n`, { mode: 0o600 });
}
