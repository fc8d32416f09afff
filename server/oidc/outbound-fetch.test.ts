import { describe, expect, test } from "vitest";
import { isProviderUrl, mayCall, outboundFetch } from "./outbound-fetch.ts";

describe("calls to a provider (X5)", () => {
  test.each([
    ["169.254.169.254", false],
    ["::ffff:169.254.169.254", false],
    ["fe80::1", false],
    ["0.0.0.0", false],
    ["::", false],
    ["224.0.0.1", false],
    ["10.0.0.5", true],
    ["127.0.0.1", true],
    ["2001:db8::1", true],
    ["example.com", false],
  ])("%s may be called: %s", (address, allowed) => {
    expect(mayCall(address)).toBe(allowed);
  });

  test.each([
    ["https://id.example.com/realms/main", true],
    ["http://127.0.0.1:4000", true],
    ["http://id.example.com", false],
    ["https://user:pass@id.example.com", false],
    ["file:///etc/passwd", false],
    ["nonsense", false],
  ])("%s is a provider's address: %s", (text, allowed) => {
    expect(isProviderUrl(text)).toBe(allowed);
  });

  test.each(["https://169.254.169.254/", "https://0xa9fea9fe/", "https://[::ffff:a9fe:a9fe]/"])(
    "%s is refused in whatever way it is written",
    async (target) => {
      await expect(outboundFetch(target, {})).rejects.toThrow(/may not be called/);
    },
  );
});
