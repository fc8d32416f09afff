import { cleanup, configure } from "@solidjs/testing-library";
import { afterEach } from "vitest";

// For a busy machine; a good run never comes near it.
configure({ asyncUtilTimeout: 10_000 });

// jsdom has none of these; charts and menus ask for them.
window.matchMedia = (query) =>
  Object.assign(new EventTarget(), {
    matches: false,
    media: query,
    onchange: null,
    addListener: () => {},
    removeListener: () => {},
  });
window.scrollTo = () => {};
Element.prototype.scrollIntoView = () => {};
// CodeMirror measures text by ranges.
Range.prototype.getClientRects = () => Object.assign([], { item: () => null });
Range.prototype.getBoundingClientRect = () => new DOMRect();
HTMLCanvasElement.prototype.getContext = () => null;

afterEach(() => {
  cleanup();
  localStorage.clear();
});
// jsdom has no pointers to capture; swiping a toast asks for it.
Element.prototype.hasPointerCapture = () => false;
