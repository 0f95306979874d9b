// Lets no byte leave this machine: whoever dials anything but loopback gets an error, and is remembered.
import dns from "node:dns";
import net from "node:net";

export const strays = [];

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

function stray(host) {
  strays.push(host);
  return new Error(`blocked: ${host} is not loopback`);
}

function target(args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (first && typeof first === "object") return first.path ? "localhost" : first.host ?? "localhost";
  if (typeof first === "string" && Number.isNaN(Number(first))) return "localhost"; // a path
  return typeof args[1] === "string" ? args[1] : "localhost";
}

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const host = target(args);
  if (!LOOPBACK.has(host)) {
    const error = stray(host);
    process.nextTick(() => this.destroy(error));
    return this;
  }
  return connect.apply(this, args);
};

const lookup = dns.lookup;
dns.lookup = function (host, ...rest) {
  if (LOOPBACK.has(host)) return lookup.call(dns, host, ...rest);
  const error = stray(host);
  process.nextTick(rest[rest.length - 1], error);
};
