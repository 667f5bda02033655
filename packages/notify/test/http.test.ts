import { NotifyFailure } from "@signalbox/core/plugin"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "vitest"
import { call, makeAddressGuard, parseRange, refusal } from "../src/http/index.ts"
import { openHttpReceiver } from "../src/testing/index.ts"

const { signal } = new AbortController()
const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => (error instanceof NotifyFailure ? error.reason : error)
  )
const post = (url: string, guard = makeAddressGuard(["127.0.0.1"]), timeoutMs = 15_000) =>
  call({ url: new URL(url), headers: {}, body: "{}", signal, guard, timeoutMs })

describe.concurrent("the guard of addresses", () => {
  it.each([
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "[fd00::1]",
    "[fe80::1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]"
  ])("connects to nothing at %s", async (host) => {
    const reason = await reasonOf(post(`https://${host}:9/`, makeAddressGuard()))
    expect(reason).toMatchObject({ _tag: "Invalid", path: ["url"] })
  })

  it("judges a name by its addresses when it connects, all of them", async () => {
    const receiver = await openHttpReceiver(() => ({}))
    const url = receiver.url.replace("127.0.0.1", "hooks.example.com")
    const port = new URL(url).port
    // The second answer of the name server is what an attacker would want.
    const answers = [["127.0.0.1"], ["192.0.2.1", "127.0.0.1"], ["169.254.169.254"]]
    for (const addresses of answers) {
      const resolve = async () => addresses.map((address) => ({ address, family: 4 }))
      expect(await reasonOf(post(url, makeAddressGuard([], resolve)))).toMatchObject({ _tag: "Invalid" })
    }
    expect(receiver.calls).toEqual([])
    const resolve = async () => [{ address: "127.0.0.1", family: 4 }]
    const allowed = makeAddressGuard(["127.0.0.0/8"], resolve)
    expect(await post(`http://hooks.example.com:${port}/`, allowed)).toMatchObject({ status: 200 })
    await receiver.close()
  })

  it("allows unencrypted calls to listed addresses only", async () => {
    const resolve = async () => [{ address: "93.184.216.34", family: 4 }]
    const guard = makeAddressGuard(["10.0.0.0/8"], resolve, true)
    expect(await reasonOf(post("http://example.com/", guard))).toMatchObject({ _tag: "Invalid" })
  })

  it.each(["10.0.0.0/33", "10.0.0/8", "::1/129", "10.0.0.0/8/8", "example.com", "10.0.0.0/"])(
    "rejects the range %s",
    (text) => {
      expect(parseRange(text)).toBeUndefined()
    }
  )
})

describe.concurrent("a call", () => {
  it("follows no redirect", async () => {
    const inner = await openHttpReceiver(() => ({}))
    const outer = await openHttpReceiver(() => ({ status: 307, headers: { location: inner.url } }))
    const answer = await post(outer.url)
    expect(refusal("hooks", answer, 0)).toMatchObject({ _tag: "Invalid" })
    expect(inner.calls).toEqual([])
    await Promise.all([inner.close(), outer.close()])
  })

  it("tells a receiver that cannot be reached from an answer that was lost", async () => {
    const closed = await openHttpReceiver(() => ({}))
    await closed.close()
    expect(await reasonOf(post(closed.url))).toMatchObject({ _tag: "Unavailable" })
    const silent = await openHttpReceiver(() => ({}))
    silent.fault({ _tag: "Hang" })
    expect(await reasonOf(post(silent.url, undefined, 50))).toMatchObject({ _tag: "Unknown" })
    await silent.close()
  })

  it("reads no more than 64 KiB of an answer that does not end", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {})
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
      const more = () => {
        while (!socket.destroyed && socket.write("x".repeat(16_384)));
      }
      socket.on("drain", more)
      more()
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { body } = await post(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(body).toHaveLength(65_536)
    server.close()
  })

  it.each([
    [204, {}, undefined],
    [302, {}, { _tag: "Invalid" }],
    [400, {}, { _tag: "Invalid" }],
    [401, {}, { _tag: "Denied" }],
    [403, {}, { _tag: "Denied" }],
    [404, {}, { _tag: "Unavailable" }],
    [410, {}, { _tag: "Gone" }],
    [413, {}, { _tag: "TooLarge" }],
    [429, {}, { _tag: "RateLimited", retryAfterMs: 30_000 }],
    [429, { "retry-after": "7" }, { _tag: "RateLimited", retryAfterMs: 7_000 }],
    [429, { "retry-after": "Thu, 01 Jan 1970 00:01:00 GMT" }, { _tag: "RateLimited", retryAfterMs: 60_000 }],
    [429, { "retry-after": "99999999" }, { _tag: "RateLimited", retryAfterMs: 86_400_000 }],
    [429, { "retry-after": "soon" }, { _tag: "RateLimited", retryAfterMs: 30_000 }],
    [500, {}, { _tag: "Unknown" }],
    [503, { "retry-after": "3" }, { _tag: "Unavailable", retryAfterMs: 3_000 }],
    [504, {}, { _tag: "Unknown" }]
  ] as const)("classifies %i %o", (status, headers, expected) => {
    const reason = refusal("hooks", { status, headers, body: "" }, 0)
    if (expected === undefined) expect(reason).toBeUndefined()
    else expect(reason).toMatchObject(expected)
  })
})
