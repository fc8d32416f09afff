import { describe, expect, test } from "vitest";
import { clientAddress, limitKey, parseNetworks } from "./client-address.ts";

const trusted = parseNetworks(["10.0.0.0/8", "fd00::/8", "192.0.2.7"]);

describe("clientAddress", () => {
  test.each([
    ["nobody forwarded", "203.0.113.9", undefined, "203.0.113.9"],
    ["a stranger claims to forward", "203.0.113.9", "1.2.3.4", "203.0.113.9"],
    ["a proxy forwards", "10.1.1.1", "198.51.100.4", "198.51.100.4"],
    ["two proxies forward", "10.1.1.1", "198.51.100.4, 192.0.2.7", "198.51.100.4"],
    ["a client invents entries", "10.1.1.1", "6.6.6.6, 198.51.100.4", "198.51.100.4"],
    ["a proxy writes a port", "::ffff:10.1.1.1", "198.51.100.4:5555", "198.51.100.4"],
    ["a proxy writes IPv6", "fd00::1", "[2001:DB8::5]:443", "2001:db8::5"],
    ["a proxy writes no address", "10.1.1.1", "unknown", "10.1.1.1"],
  ])("when %s", (_case, peer, forwarded, expected) => {
    expect(clientAddress(peer, forwarded, trusted)).toBe(expected);
  });

  test("believes nobody unless proxies are configured", () => {
    expect(clientAddress("127.0.0.1", "1.2.3.4", parseNetworks([]))).toBe("127.0.0.1");
  });
});

describe("limitKey", () => {
  test.each([
    ["198.51.100.4", "198.51.100.4"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::5", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    [undefined, ""],
  ])("of %s is %s", (address, key) => {
    expect(limitKey(address)).toBe(key);
  });
});

test.each(["10.0.0.0/8/8", "example.com", "10.0.0.0/", "10.0.0.0/33", "fd00::/129"])(
  "%s is no network",
  (network) => {
    expect(() => parseNetworks([network])).toThrow(/network|range/i);
  },
);
