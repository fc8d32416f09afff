import { render } from "solid-js/web";

import { createWebTransport } from "./api/transport.ts";
import { App } from "./app.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
render(() => <App transport={createWebTransport()} />, root);
