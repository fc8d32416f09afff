import { createRouterTransport } from "@connectrpc/connect";
import { createMemoryHistory, MemoryRouter } from "@solidjs/router";
import { render } from "@solidjs/testing-library";
import userEvent, { type UserEvent } from "@testing-library/user-event";

import { App } from "../app.tsx";
import { fakeRoutes } from "./fake-api.ts";
import { FakeWorld } from "./fake-world.ts";

/** The whole client over a fake world, at an address. */
export function renderApp(
  path: string,
  world: FakeWorld = new FakeWorld(),
): { world: FakeWorld; user: UserEvent; path: () => string } {
  const history = createMemoryHistory();
  history.set({ value: path, replace: true });
  const transport = createRouterTransport(fakeRoutes(world));
  render(() => (
    <App
      transport={transport}
      router={(props) => (
        <MemoryRouter history={history} root={props.root}>
          {props.children}
        </MemoryRouter>
      )}
    />
  ));
  return { world, user: userEvent.setup(), path: history.get };
}
