/**
 * The input of hostile clients, by seed: bytes, in how many pieces, and how the connection is left. `answers` are the
 * expected answers: the bodies of good requests, in their order.
 */
import { chance, mutate, oddFields, type Chance } from "../fixtures/fuzz/random.mjs"

export interface Attempt {
  readonly kind: string
  readonly bytes: Buffer
  readonly pieces: number
  /** `wait`: until the other side closes; `half`: close one side; `reset`: at once; `deaf`: read nothing, then reset. */
  readonly leaves: "wait" | "half" | "reset" | "deaf"
  /** Bodies that have to come back, in this order. */
  readonly answers: ReadonlyArray<string>
  /** Whether something has to come back at all. */
  readonly answered: boolean
}

const request = (line: string, ...fields: ReadonlyArray<string>): string =>
  `${[line, "Host: shop.example", ...fields].join("\r\n")}\r\n\r\n`

const methods = [
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "HEAD",
  "PATCH",
  "TRACE",
  "CONNECT",
  "PRI",
  "BREW",
  "get",
  ""
]
const targets = [
  "/",
  "*",
  "http://other.example/a",
  "//",
  "/%00",
  "/\u00ff",
  "/a b",
  "a",
  "",
  "/?",
  "shop:443",
  "/\u0001",
  "x".repeat(70_000)
]
const versions = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTPS/1.1", "", "HTTP/1.1 x"]
const upgrades = ["h2c", "TLS/1.2", "h2c, websocket2", "IRC/6.9, RTA/x11", "\u00ff", ""]
const websocket = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13"
]

/** A good request, and the body that the good application gives back. */
const good = (random: Chance, path: string, ...fields: ReadonlyArray<string>): readonly [string, string] => {
  const length = random.below(3000)
  const body = "b".repeat(length)
  switch (random.below(4)) {
    case 0:
      return [
        `${request(`POST ${path} HTTP/1.1`, `Content-Length: ${length}`, ...fields)}${body}`,
        `POST ${path} ${length}`
      ]
    case 1:
      return [
        `${request(`PUT ${path} HTTP/1.1`, "Transfer-Encoding: chunked", "Trailer: X-Sum", ...fields)}${length === 0 ? "" : `${length.toString(16)}\r\n${body}\r\n`}0\r\nX-Sum: 1\r\n\r\n`,
        `PUT ${path} ${length}`
      ]
    default:
      return [request(`GET ${path} HTTP/1.1`, ...fields), `GET ${path} 0`]
  }
}

const none = { answers: [], answered: false }

export const attemptOf = (seed: number): Attempt => {
  const random = chance(seed)
  const pieces = random.below(5)
  // Not all of these have an end of their own.
  const leaves = random.pick(["half", "half", "reset", "deaf"] as const)
  const latin = (text: string) => Buffer.from(text, "latin1")
  const path = `/${seed}`
  switch (random.below(13)) {
    case 0:
    case 1: {
      const [text, body] = good(random, path, "Connection: close")
      return { kind: "good", bytes: latin(text), pieces, leaves: "wait", answers: [body], answered: true }
    }
    case 2: {
      const many = Array.from({ length: 2 + random.below(10) }, (_, index) => good(random, `${path}/${index}`))
      const last = good(random, `${path}/last`, "Connection: close")
      const text = [...many, last].map(([sent]) => sent).join("")
      return {
        kind: "pipelined",
        bytes: latin(text),
        pieces,
        leaves: "wait",
        answers: [...many, last].map(([, body]) => body),
        answered: true
      }
    }
    case 3: {
      const many = Array.from({ length: 1 + random.below(5) }, (_, index) => good(random, `${path}/${index}`))
      const text = `${many.map(([sent]) => sent).join("")}${random.pick(["\u0001\u0002 bad\r\n\r\n", request("GET /a b HTTP/1.1")])}`
      return {
        kind: "pipelined, then bad",
        bytes: latin(text),
        pieces,
        leaves: "wait",
        answers: many.map(([, body]) => body),
        answered: true
      }
    }
    case 4: {
      // An offer that is to be ignored, again and again on one connection, with and without a body.
      const offer = ["Connection: Upgrade", `Upgrade: ${random.pick(upgrades)}`]
      const many = Array.from({ length: 1 + random.below(4) }, (_, index) => good(random, `${path}/${index}`, ...offer))
      const last = good(random, `${path}/last`, "Connection: close")
      const text = [...many, last].map(([sent]) => sent).join("")
      return {
        kind: "offers",
        bytes: latin(text),
        pieces,
        leaves: "wait",
        answers: [...many, last].map(([, body]) => body),
        answered: true
      }
    }
    case 5: {
      const frames = random.bytes(random.below(300)).toString("latin1")
      const before = random.next() < 0.3 ? good(random, `${path}/0`)[0] : ""
      return {
        kind: "websocket",
        bytes: latin(`${before}${request(`GET ${path} HTTP/1.1`, ...websocket)}${frames}`),
        pieces,
        leaves,
        ...none
      }
    }
    case 6: {
      const line = `${random.pick(methods)} ${random.pick(targets)} ${random.pick(versions)}`
      return { kind: "request line", bytes: latin(request(line, "Connection: close")), pieces, leaves: "half", ...none }
    }
    case 7:
      return {
        kind: "fields",
        bytes: latin(request(`${random.pick(["GET", "POST"])} ${path} HTTP/1.1`, ...oddFields(random))),
        pieces,
        leaves,
        ...none
      }
    case 8:
      return { kind: "bytes", bytes: random.bytes(1 + random.below(400)), pieces, leaves, ...none }
    case 9:
      return {
        kind: "mutated",
        bytes: mutate(random, good(random, path, "Connection: close")[0]),
        pieces,
        leaves,
        ...none
      }
    case 10: {
      const text = good(random, path)[0]
      return {
        kind: "cut off",
        bytes: latin(text.slice(0, random.below(text.length))),
        pieces,
        leaves: random.pick(["half", "reset"]),
        ...none
      }
    }
    case 11: {
      const text = random.pick([
        request("GET /a b HTTP/1.1"),
        request("GET / HTTP/1.1", `X-Large: ${"a".repeat(1_100_000 + random.below(1_000_000))}`),
        request("CONNECT shop.example:443 HTTP/1.1"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\r\n\r\n",
        `${request("POST / HTTP/1.1", "Transfer-Encoding: chunked")}zz\r\n`,
        `${request("POST / HTTP/1.1", "Transfer-Encoding: chunked")}3\r\nabcdef\r\n`,
        request("POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked"),
        request("GET / HTTP/1.1", "Host: twice")
      ])
      return { kind: "refused", bytes: latin(text), pieces, leaves: "wait", answers: [], answered: true }
    }
    default: {
      const text = `${request(`POST ${path} HTTP/1.1`, "Content-Length: 500000")}${"b".repeat(random.below(500_000))}`
      return {
        kind: "upload cut off",
        bytes: latin(text),
        pieces,
        leaves: random.pick(["half", "reset", "deaf"]),
        ...none
      }
    }
  }
}
