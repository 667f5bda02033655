import { assert, describe, it } from "@effect/vitest"
import * as http from "node:http"
import * as net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { until } from "./harness.ts"
import { exchange, head, type Proxied, proxied, type RawApp } from "./wire.ts"

/** A proxy for the duration of the test. */
const behind = (...apps: ReadonlyArray<RawApp | net.Server>) =>
  Effect.acquireRelease(
    Effect.promise(() => proxied(...apps)),
    ({ stop }) => Effect.promise(stop)
  )

const sent = (port: number, bytes: string, enough?: (received: string) => boolean) =>
  Effect.promise(() => exchange(port, bytes, enough))

const test = (name: string, body: Effect.Effect<void, never, Scope.Scope>) => it.live(name, () => Effect.scoped(body))

/** Answers every request with these bytes and closes. */
const always =
  (answer: string): RawApp =>
  (socket, received) => {
    if (received.includes("\r\n\r\n")) socket.end(Buffer.from(answer, "latin1"))
  }

/** Answers with the head that it received, once everything has arrived. */
const mirror =
  (complete: (received: string) => boolean = (received) => received.includes("\r\n\r\n")): RawApp =>
  (socket, received) => {
    const text = received.toString("latin1")
    if (complete(text)) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`, "latin1")
  }

const get = head("GET /a HTTP/1.1", "Connection: close")
const statusOf = (answer: string) => Number(answer.slice(9, 12))
const causeOf = (answer: string): string => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)).error.code

const measured = ({ upstream }: Proxied, requests: number) =>
  Effect.promise(async () => {
    const now = () => upstream.requests.measure(performance.timeOrigin + performance.now(), 60_000, null)
    await until("the exchange is over", () => upstream.inFlight === 0 && now().requests === requests)
    return now().errors
  })

describe("an answer that cannot be passed on", () => {
  const refused: ReadonlyArray<readonly [what: string, answer: string, cause?: string]> = [
    ["a status below 100", "HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok"],
    ["status 0", "HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\nok"],
    ["a status of four digits", "HTTP/1.1 1000 Odd\r\nContent-Length: 2\r\n\r\nok"],
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["an unrequested switch of protocols", "HTTP/1.1 101 S\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n"],
    ["a switch of protocols to none", "HTTP/1.1 101 S\r\n\r\n"],
    ["an unknown transfer coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok"],
    ["both a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
    ["a control character in a header", "HTTP/1.1 200 OK\r\nX: a\u0001b\r\n\r\n"],
    ["a head of 2 MB", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(2_000_000)}\r\n\r\n`],
    [
      "nothing but notes",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: nonsense\r\n\r\n",
      "upstream_closed"
    ],
    ["nothing", "", "upstream_closed"]
  ]
  for (const [what, answer, cause = "upstream_invalid"] of refused) {
    test(
      `becomes a 502 that counts against its release: ${what}`,
      Effect.gen(function* () {
        const web = yield* behind(always(answer))
        const received = yield* sent(web.port, get)
        assert.strictEqual(statusOf(received), 502)
        assert.strictEqual(causeOf(received), cause)
        assert.strictEqual(yield* measured(web, 1), 1)
      })
    )
  }

  test(
    "is cleaned where only its reason phrase or its Trailer header is wrong",
    Effect.gen(function* () {
      const chunks =
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n"
      for (const [answer, request, line] of [
        ["HTTP/1.1 200 all\u0001fine\r\nContent-Length: 2\r\n\r\nok", get, "HTTP/1.1 200 allfine"],
        ["HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok", get, "HTTP/1.1 200 OK"],
        [chunks, head("GET /a HTTP/1.0"), "HTTP/1.1 200 OK"]
      ] as const) {
        const web = yield* behind(always(answer))
        const received = yield* sent(web.port, request)
        assert.isTrue(received.startsWith(`${line}\r\n`))
        assert.isTrue(received.endsWith("\r\n\r\nok"))
        assert.notMatch(received, /trailer/i)
        assert.strictEqual(yield* measured(web, 1), 0)
      }
    })
  )

  test(
    "that is cut off counts as an error, and arrives cut off",
    Effect.gen(function* () {
      const web = yield* behind(always("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
      assert.isTrue((yield* sent(web.port, get)).endsWith("\r\n\r\nhalf"))
      assert.strictEqual(yield* measured(web, 1), 1)
    })
  )

  test(
    "counts against its release where another one answered instead",
    Effect.gen(function* () {
      const web = yield* behind(always(""), always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
      for (let request = 0; request < 10; request++) assert.strictEqual(statusOf(yield* sent(web.port, get)), 200)
      assert.strictEqual(yield* measured(web, 5), 5)
    })
  )

  test(
    "that continues after its end reaches no other request",
    Effect.gen(function* () {
      let answered = 0
      const web = yield* behind((socket, received) => {
        if (!received.toString().endsWith("\r\n\r\n")) return
        answered += 1
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        setImmediate(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"))
      })
      for (let request = 0; request < 5; request++) {
        assert.isTrue((yield* sent(web.port, get)).endsWith("\r\n\r\nok"))
        yield* Effect.promise(() =>
          until("the connection was given up", () => Object.keys(web.upstream.agent.freeSockets).length === 0)
        )
      }
      assert.strictEqual(answered, 5)
    })
  )
})

describe("an early answer", () => {
  const body = "b".repeat(3_000_000)
  const upload = head("POST /upload HTTP/1.1", `Content-Length: ${body.length}`) + body
  const endings: ReadonlyArray<readonly [string, string, (socket: net.Socket) => void]> = [
    ["closes with the upload unread", "Content-Length: 2\r\nConnection: close\r\n\r\nno", (socket) => socket.destroy()],
    ["resets", "Content-Length: 2\r\n\r\nno", (socket) => setImmediate(() => socket.resetAndDestroy())],
    ["sends it without a length", "Connection: close\r\n\r\nno", (socket) => socket.destroy()],
    ["sends it in chunks", "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", (socket) => socket.destroy()],
    ["reads nothing more", "Content-Length: 2\r\n\r\nno", (socket) => socket.pause()]
  ]
  for (const [what, answer, ending] of endings) {
    test(
      `reaches a client that is still sending, where the application ${what}`,
      Effect.gen(function* () {
        const answered = new Set<net.Socket>()
        const web = yield* behind((socket, received) => {
          if (answered.has(socket) || !received.includes("\r\n\r\n")) return
          answered.add(socket)
          socket.write(`HTTP/1.1 413 Too Large\r\n${answer}`)
          ending(socket)
        })
        const over = (received: string) => /no(\r\n0\r\n\r\n)?$/.test(received)
        for (let request = 0; request < 20; request++) {
          const connection = request % 2 === 0 ? "" : "Connection: close\r\n"
          const received = yield* sent(web.port, upload.replace("Host:", `${connection}Host:`), over)
          assert.strictEqual(statusOf(received), 413)
        }
        assert.strictEqual(yield* measured(web, 20), 0)
      })
    )
  }

  test(
    "reaches a client that reads nothing before it has sent everything",
    Effect.gen(function* () {
      const answered = new Set<net.Socket>()
      const web = yield* behind((socket, received) => {
        if (answered.has(socket) || !received.includes("\r\n\r\n")) return
        answered.add(socket)
        socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        socket.destroy()
      })
      let requests = 0
      for (const line of ["POST /a HTTP/1.0", "POST /a HTTP/1.1"]) {
        const received = yield* Effect.promise(async () => {
          let text = ""
          const socket = net.connect(web.port, "127.0.0.1")
          socket.on("error", () => undefined)
          socket.on("data", (data) => (text += data.toString()))
          socket.pause()
          socket.write(`${head(line, "Connection: close", "Content-Length: 2000000")}${"b".repeat(1_000_000)}`)
          requests += 1
          await until(
            "it is answered",
            () => web.requests.measure(performance.timeOrigin + performance.now(), 60_000, null).requests === requests
          )
          await new Promise((resolve) => socket.write("b".repeat(999_999), resolve))
          await new Promise((resolve) => socket.write("b", resolve))
          socket.resume()
          await until("the connection is closed", () => socket.closed)
          return text
        })
        assert.strictEqual(statusOf(received), 413)
      }
    })
  )

  test(
    "does not wait for its body, nor for the upload",
    Effect.gen(function* () {
      const web = yield* behind((socket, received) => {
        if (received.includes("\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\n\r\n")
      })
      const received = yield* sent(web.port, head("POST /a HTTP/1.1", "Content-Length: 5") + "12", (text) =>
        text.includes("\r\n\r\n")
      )
      assert.strictEqual(statusOf(received), 200)
    })
  )

  test(
    "comes before a body that waits for 100 Continue, which is the application's to say",
    Effect.gen(function* () {
      const expecting = head("POST /a HTTP/1.1", "Connection: close", "Expect: 100-continue", "Content-Length: 3")
      const refusing = yield* behind(always("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"))
      const refused = yield* sent(refusing.port, expecting)
      assert.isTrue(refused.startsWith("HTTP/1.1 413 "))
      const welcoming = yield* behind((socket, received) => {
        const text = received.toString()
        if (text.endsWith("abc")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        else if (text.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n")
      })
      const answer = yield* Effect.promise(
        () =>
          new Promise<string>((resolve) => {
            const socket = net.connect(welcoming.port, "127.0.0.1", () => socket.write(expecting))
            let received = ""
            socket.on("data", (data) => {
              received += data.toString()
              if (received === "HTTP/1.1 100 Continue\r\n\r\n") socket.write("abc")
            })
            socket.on("close", () => resolve(received))
          })
      )
      assert.match(answer, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n[^]*ok$/)
    })
  )
})

describe("a client that breaks off", () => {
  test(
    "ends nothing but its own exchange, and does not count",
    Effect.gen(function* () {
      const web = yield* behind(() => undefined)
      for (const request of [
        get,
        head("POST /a HTTP/1.1", "Content-Length: 100") + "half",
        head("GET /ws HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket") + "xxxx"
      ]) {
        yield* Effect.promise(async () => {
          const socket = net.connect(web.port, "127.0.0.1", () => socket.write(request))
          socket.on("error", () => undefined)
          await until("it is on its way", () => web.upstream.inFlight === 1)
          socket.resetAndDestroy()
          await until("it is given up", () => web.upstream.inFlight === 0)
        })
      }
      assert.strictEqual(yield* measured(web, 0), 0)
    })
  )

  test(
    "is noticed if no instance is ready and it wanted a WebSocket",
    Effect.gen(function* () {
      const web = yield* behind(() => undefined)
      web.upstream.ready = false
      const websocket = head("GET /ws HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket")
      for (let time = 0; time < 20; time++) {
        yield* Effect.promise(
          () =>
            new Promise<void>((resolve) => {
              const socket = net.connect(web.port, "127.0.0.1", () => {
                socket.write(`${websocket}xxxx`)
                setImmediate(() => socket.resetAndDestroy())
              })
              socket.on("error", () => undefined)
              socket.on("close", () => resolve())
            })
        )
      }
      const received = yield* sent(web.port, websocket)
      assert.strictEqual(statusOf(received), 503)
      assert.strictEqual(causeOf(received), "no_ready_upstream")
    })
  )
})

describe("a request that cannot be passed on", () => {
  const refused: ReadonlyArray<readonly [string, number, string]> = [
    ["a malformed request line", 400, head("GET /a b HTTP/1.1")],
    ["HTTP/2 without an upgrade", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["TLS", 400, "\u0016\u0003\u0001\u0002\u0000\u0001\u0000"],
    ["two Host headers", 400, head("GET /a HTTP/1.1", "Host: other")],
    ["a malformed chunk", 400, `${head("POST /a HTTP/1.1", "Transfer-Encoding: chunked")}zz\r\n`],
    ["a transfer coding of its own", 501, head("POST /a HTTP/1.1", "Transfer-Encoding: gzip, chunked")],
    ["CONNECT", 405, head("CONNECT shop.example:443 HTTP/1.1")],
    ["a head of 2 MB", 431, head("GET /a HTTP/1.1", `X: ${"a".repeat(2_000_000)}`)]
  ]
  for (const [what, status, request] of refused) {
    test(
      `is answered, and does not count: ${what}`,
      Effect.gen(function* () {
        const web = yield* behind(() => undefined)
        assert.strictEqual(statusOf(yield* sent(web.port, request)), status)
        assert.strictEqual(yield* measured(web, 0), 0)
      })
    )
  }

  test(
    "is answered after the requests before it",
    Effect.gen(function* () {
      const web = yield* behind(mirror())
      const received = yield* sent(web.port, `${head("GET /1 HTTP/1.1")}${head("GET /2 HTTP/1.1")}nonsense\r\n\r\n`)
      const order = [...received.matchAll(/GET \/\d|HTTP\/1.1 400/g)].map(([found]) => found)
      assert.deepStrictEqual(order, ["GET /1", "GET /2", "HTTP/1.1 400"])
    })
  )
})

describe("forwarded data", () => {
  const echoed = (request: string, complete?: (received: string) => boolean) =>
    Effect.gen(function* () {
      const web = yield* behind(mirror(complete))
      const received = yield* sent(web.port, request)
      assert.strictEqual(statusOf(received), 200)
      return received.slice(received.indexOf("\r\n\r\n") + 4)
    })

  test(
    "targets as they are",
    Effect.gen(function* () {
      for (const line of [
        "OPTIONS * HTTP/1.1",
        "GET http://shop.example/a?b=1 HTTP/1.1",
        "GET //a/../b?c#d HTTP/1.1"
      ]) {
        assert.isTrue((yield* echoed(head(line, "Connection: close"))).startsWith(`${line}\r\n`))
      }
    })
  )

  test(
    "headers in their spelling and order, repeated ones too",
    Effect.gen(function* () {
      const fields = ["X-One: 1", "x-TWO: caf\u00e9", "X-One: 2", "Cookie: a", "Cookie: b"]
      assert.include(yield* echoed(head("GET /a HTTP/1.1", "Connection: close", ...fields)), fields.join("\r\n"))
      const web = yield* behind(always(`HTTP/1.1 200 OK\r\n${fields.join("\r\n")}\r\nContent-Length: 2\r\n\r\nok`))
      assert.include(yield* sent(web.port, get), fields.join("\r\n"))
    })
  )

  test(
    "no header of one connection, whichever side it is from",
    Effect.gen(function* () {
      const fields = [
        "Connection: close, X-Hop, Host",
        "X-Hop: 1",
        "Keep-Alive: timeout=9",
        "Proxy-Connection: a",
        "TE: deflate"
      ]
      const request = yield* echoed(head("GET /a HTTP/1.1", ...fields))
      assert.include(request, "\r\nHost: shop.example\r\n")
      assert.notMatch(request, /x-hop|timeout=9|proxy-connection|deflate/i)
      const web = yield* behind(
        always(
          "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop, Content-Length\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nContent-Length: 2\r\n\r\nok"
        )
      )
      const answer = yield* sent(web.port, get)
      assert.notMatch(answer, /x-hop|timeout=9/i)
      assert.include(answer, "Content-Length: 2")
    })
  )

  test(
    "where the client came from, unless it says so itself",
    Effect.gen(function* () {
      const plain = yield* echoed(get)
      assert.match(plain, /x-forwarded-for: 127.0.0.1\r\n/)
      assert.match(plain, /x-forwarded-proto: http\r\n/)
      assert.match(plain, /x-forwarded-host: shop.example\r\n/)
      const told = yield* echoed(head("GET /a HTTP/1.1", "Connection: close", "X-Forwarded-Proto: https"))
      assert.match(told, /X-Forwarded-Proto: https\r\n/)
      assert.notMatch(told, /proto: http\r\n/)
      const websocket = yield* echoed(head("GET /a HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"))
      assert.match(websocket, /x-forwarded-proto: http\r\n/)
    })
  )

  test(
    "trailers, both ways",
    Effect.gen(function* () {
      const chunks = (line: string) =>
        `${line}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n`
      const request = chunks("POST /a HTTP/1.1\r\nHost: shop.example\r\nTE: trailers\r\nConnection: close\r\n")
      const arrived = yield* echoed(request, (received) => received.includes("X-Sum: 42\r\n\r\n"))
      assert.match(arrived, /Trailer: X-Sum\r\n/)
      assert.match(arrived, /TE: trailers\r\n/)
      const web = yield* behind(always(chunks("HTTP/1.1 200 OK\r\n")))
      const received = yield* sent(web.port, get)
      assert.match(received, /Trailer: X-Sum\r\n/)
      assert.isTrue(received.endsWith("0\r\nX-Sum: 42\r\n\r\n"))
    })
  )

  test(
    "large heads, which the application judges",
    Effect.gen(function* () {
      const large = "a".repeat(200_000)
      assert.include(yield* echoed(head("GET /a HTTP/1.1", "Connection: close", `X: ${large}`)), large)
      const many = "X-Many: 1\r\n".repeat(3000)
      const web = yield* behind(always(`HTTP/1.1 200 OK\r\nX: ${large}\r\n${many}Content-Length: 2\r\n\r\nok`))
      const received = yield* sent(web.port, get)
      assert.include(received, large)
      assert.include(received, many)
      const node = yield* behind(http.createServer((_request, response) => response.end("ok")))
      assert.strictEqual(
        statusOf(yield* sent(node.port, head("GET /a HTTP/1.1", "Connection: close", `X: ${large}`))),
        431
      )
    })
  )

  test(
    "notes that come before the answer",
    Effect.gen(function* () {
      const web = yield* behind(
        always(
          "HTTP/1.1 103 Early Hints\r\nLink: </a.js>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        )
      )
      assert.match(
        yield* sent(web.port, get),
        /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a.js>; rel=preload\r\n\r\nHTTP\/1.1 200 OK\r\n/
      )
    })
  )

  test(
    "no more notes than the client reads",
    Effect.gen(function* () {
      let taken = 0
      const note = `HTTP/1.1 103 Early Hints\r\nLink: </${"a".repeat(8000)}.js>; rel=preload\r\n\r\n`
      const web = yield* behind((socket) => {
        const more = (): void => {
          if (taken++ < 5000) socket.write(note, more)
          else socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        more()
      })
      yield* Effect.promise(async () => {
        let received = 0
        const deaf = net.connect(web.port, "127.0.0.1", () => deaf.write(get))
        deaf.on("data", (data) => (received += data.length))
        deaf.pause()
        await until("all of them are sent", () => taken > 5000)
        deaf.resume()
        await until("the answer has come", () => deaf.closed)
        // 40 MB were sent; what the sockets hold is a good deal less.
        assert.isBelow(received, 20_000_000)
      })
    })
  )

  test(
    "requests to an instance that takes connections, where another one does not, with their body",
    Effect.gen(function* () {
      const gone = yield* behind(mirror((received) => received.endsWith("body")))
      const web = yield* behind(
        mirror((received) => received.endsWith("body")),
        mirror((received) => received.endsWith("body"))
      )
      Object.assign(web.upstream.target, { port: gone.port })
      yield* Effect.promise(gone.stop)
      for (let request = 0; request < 6; request++) {
        const received = yield* sent(
          web.port,
          head("POST /a HTTP/1.1", "Connection: close", "Content-Length: 4") + "body"
        )
        assert.strictEqual(statusOf(received), 200)
      }
    })
  )
})

describe("an offer to upgrade", () => {
  const offers = ["h2c", "TLS/1.2", "IRC/6.9, h2c"]
  for (const offer of offers) {
    test(
      `is ignored, and the request answered, with its body and what follows: ${offer}`,
      Effect.gen(function* () {
        const web = yield* behind(
          http.createServer((request, response) => {
            let body = ""
            request.on("data", (data) => (body += data))
            request.on("end", () =>
              response.end(`<${request.method} ${request.url} ${body} ${request.headers.upgrade}>`)
            )
          })
        )
        const fields = ["Connection: Upgrade, HTTP2-Settings", `Upgrade: ${offer}`, "HTTP2-Settings: AAMAAABkAAQ"]
        const request =
          head("GET /1 HTTP/1.1", ...fields) +
          `${head("POST /2 HTTP/1.1", ...fields, "Content-Length: 4")}body` +
          `${head("POST /3 HTTP/1.1", ...fields, "Transfer-Encoding: chunked")}4\r\nbody\r\n0\r\n\r\n` +
          head("GET /4 HTTP/1.1", "Connection: close")
        const received = yield* sent(web.port, request)
        const bodies = [...received.matchAll(/<[^>]*>/g)].map(([found]) => found)
        assert.deepStrictEqual(bodies, [
          "<GET /1  undefined>",
          "<POST /2 body undefined>",
          "<POST /3 body undefined>",
          "<GET /4  undefined>"
        ])
      })
    )
  }

  test(
    "of a WebSocket is forwarded, and so is data before and after",
    Effect.gen(function* () {
      const web = yield* behind((socket, received) => {
        const text = received.toString()
        if (text.endsWith("\r\n\r\n")) {
          socket.write(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Key: 1\r\n\r\nhello"
          )
        } else if (text.endsWith("earlybye")) socket.end("ciao")
      })
      const received = yield* Effect.promise(
        () =>
          new Promise<string>((resolve) => {
            let text = ""
            const socket = net.connect(web.port, "127.0.0.1", () =>
              socket.write(`${head("GET /ws HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket")}early`)
            )
            socket.on("data", (data) => {
              text += data.toString()
              if (text.endsWith("hello")) socket.write("bye")
            })
            socket.on("close", () => resolve(text))
          })
      )
      assert.match(received, /^HTTP\/1.1 101 Switching Protocols\r\n[^]*X-Key: 1\r\n\r\nhellociao$/)
      assert.strictEqual(yield* measured(web, 1), 0)
    })
  )

  test(
    "of a WebSocket that is refused gets the application's answer, and counts like any other",
    Effect.gen(function* () {
      const websocket = head("GET /ws HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket")
      const web = yield* behind(always("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"))
      const received = yield* sent(web.port, websocket)
      assert.match(received, /^HTTP\/1.1 503 No\r\n[^]*\r\n\r\n2\r\nno\r\n0\r\n\r\n$/)
      assert.strictEqual(yield* measured(web, 1), 1)
    })
  )

  test(
    "waits for the answers before it",
    Effect.gen(function* () {
      const web = yield* behind((socket, received) => {
        if (received.includes("Upgrade"))
          socket.end("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
        else setTimeout(() => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"), 30)
      })
      const received = yield* sent(
        web.port,
        `${head("GET /1 HTTP/1.1")}${head("GET /ws HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket")}`
      )
      assert.match(received, /first[^]*HTTP\/1.1 101 S\r\n[^]*hello$/)
    })
  )
})
