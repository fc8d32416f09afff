import { Navigate, Route, useParams } from "@solidjs/router";
import { lazy, type JSX } from "solid-js";

import { EnvironmentLayout, HomePage } from "./shell/environment-layout.tsx";
import { NotFoundPage } from "./shell/not-found-page.tsx";
import { Protected } from "./shell/protected.tsx";

const LoginPage = lazy(async () => ({
  default: (await import("./auth/login-page.tsx")).LoginPage,
}));
const SetupPage = lazy(async () => ({
  default: (await import("./auth/setup-page.tsx")).SetupPage,
}));
const HostListPage = lazy(async () => ({
  default: (await import("./fleet/host-list-page.tsx")).HostListPage,
}));
const AddHostPage = lazy(async () => ({
  default: (await import("./fleet/add-host-page.tsx")).AddHostPage,
}));
const HostPage = lazy(async () => ({ default: (await import("./fleet/host-page.tsx")).HostPage }));
const PipelineListPage = lazy(async () => ({
  default: (await import("./pipelines/pipeline-list-page.tsx")).PipelineListPage,
}));
const NewPipelinePage = lazy(async () => ({
  default: (await import("./pipelines/new-pipeline-page.tsx")).NewPipelinePage,
}));
const PipelinePage = lazy(async () => ({
  default: (await import("./pipelines/pipeline-page.tsx")).PipelinePage,
}));
const SecretsPage = lazy(async () => ({
  default: (await import("./secrets/secrets-page.tsx")).SecretsPage,
}));
const VariablesPage = lazy(async () => ({
  default: (await import("./variables/variables-page.tsx")).VariablesPage,
}));
const TemplateGalleryPage = lazy(async () => ({
  default: (await import("./library/template-gallery-page.tsx")).TemplateGalleryPage,
}));
const SettingsLayout = lazy(async () => ({
  default: (await import("./access/settings-layout.tsx")).SettingsLayout,
}));
const ProfilePage = lazy(async () => ({
  default: (await import("./access/profile-page.tsx")).ProfilePage,
}));
const TeamsPage = lazy(async () => ({
  default: (await import("./access/teams-page.tsx")).TeamsPage,
}));
const TeamPage = lazy(async () => ({ default: (await import("./access/team-page.tsx")).TeamPage }));
const UsersPage = lazy(async () => ({
  default: (await import("./access/users-page.tsx")).UsersPage,
}));
const AuditPage = lazy(async () => ({
  default: (await import("./access/audit-page.tsx")).AuditPage,
}));
const AuthenticationPage = lazy(async () => ({
  default: (await import("./access/authentication-page.tsx")).AuthenticationPage,
}));

function ToHosts(): JSX.Element {
  const params = useParams();
  return <Navigate href={`/e/${encodeURIComponent(params["env"] ?? "")}/hosts`} />;
}

/** Every address of the client. */
export function AppRoutes(): JSX.Element {
  return (
    <>
      <Route path="/login" component={LoginPage} />
      <Route path="/setup" component={SetupPage} />
      <Route path="/" component={Protected}>
        <Route path="/" component={HomePage} />
        <Route path="/settings" component={SettingsLayout}>
          <Route path="/" component={() => <Navigate href="/settings/profile" />} />
          <Route path="/profile" component={ProfilePage} />
          <Route path="/teams" component={TeamsPage} />
          <Route path="/teams/:id" component={TeamPage} />
          <Route path="/users" component={UsersPage} />
          <Route path="/audit" component={AuditPage} />
          <Route path="/authentication" component={AuthenticationPage} />
          <Route path="*" component={NotFoundPage} />
        </Route>
        <Route path="/e/:env" component={EnvironmentLayout}>
          <Route path="/" component={ToHosts} />
          <Route path="/hosts" component={HostListPage} />
          <Route path="/hosts/add" component={AddHostPage} />
          <Route path="/hosts/:id" component={HostPage} />
          <Route path="/pipelines" component={PipelineListPage} />
          <Route path="/pipelines/new" component={NewPipelinePage} />
          <Route path="/pipelines/:id" component={PipelinePage} />
          <Route path="/secrets" component={SecretsPage} />
          <Route path="/templates" component={TemplateGalleryPage} />
          <Route path="/variables" component={VariablesPage} />
          <Route path="*" component={NotFoundPage} />
        </Route>
      </Route>
      <Route path="*" component={NotFoundPage} />
    </>
  );
}
