import {
  type Fault,
  type FaultProxy,
  faultProxy,
  type FaultProxyOptions,
  operations,
  answers
} from "@signalbox/fault-proxy"
import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { Agent, createServer, request, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer, text } from "node:stream/consumers"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"

/** What the target got: its effects. */
let effects: Array<string> = []
let target: Server
let proxy: FaultProxy | undefined

beforeEach(async () => {
  effects = []
  target = createServer(async (request, response) => {
    const body = await buffer(request)
    effects.push(`${request.method} ${request.url}`)
    if (request.url === "/drop") return void response.destroy()
    if (request.url === "/head") {
      response.setHeader("set-cookie", ["a=1", "b=2"])
      return void response.writeHead(404, "Not Here", { "x-seen": request.rawHeaders.join("|") }).end("gone")
    }
    if (request.url === "/stream") {
      for (let index = 0; index < 50; index++) response.write(`${index}:${"x".repeat(20_000)}\n`)
      return void response.end("end")
    }
    // As an emulator does: whatever is there already is refused.
    const again = effects.filter((one) => one === `${request.method} ${request.url}`).length > 1
    response.writeHead(again ? 409 : 200)
    response.end(createHash("sha256").update(body).digest("hex"))
  })
  await once(target.listen(0, "127.0.0.1"), "listening")
})
afterEach(async () => {
  await proxy?.close()
  target.closeAllConnections()
  await new Promise((resolve) => target.close(resolve))
})

const start = async (options: Omit<FaultProxyOptions, "target"> = {}): Promise<FaultProxy> =>
  (proxy = await faultProxy({ target: `http://127.0.0.1:${(target.address() as AddressInfo).port}`, ...options }))

const put = (path: string, body: NonNullable<RequestInit["body"]> = "") =>
  fetch(`${proxy!.url}${path}`, { method: "PUT", body, ...(body instanceof ReadableStream ? { duplex: "half" } : {}) })

const digest = (body: string | Uint8Array) => createHash("sha256").update(body).digest("hex")

describe("a proxy without rules", () => {
  it("forwards status, headers and bodies unchanged", async () => {
    await start()
    const answer = await fetch(`${proxy!.url}/head`, { headers: { "x-signed": "yes", "accept-encoding": "br" } })
    expect([answer.status, answer.statusText, await answer.text()]).toEqual([404, "Not Here", "gone"])
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"])
    // A signature covers the name of the host that the client called.
    const seen = answer.headers.get("x-seen")!.toLowerCase()
    expect(seen).toContain(`host|127.0.0.1:${proxy!.port}`)
    expect(seen).toContain("x-signed|yes")
    expect(seen).toContain("accept-encoding|br")
  })

  it("forwards large bodies, sized and chunked", async () => {
    await start()
    const large = randomBytes(8 * 1024 * 1024)
    expect(await (await put("/sized", large)).text()).toBe(digest(large))
    const chunks = new ReadableStream({
      start: (controller) => {
        for (let at = 0; at < large.length; at += 100_000) controller.enqueue(large.subarray(at, at + 100_000))
        controller.close()
      }
    })
    expect(await (await put("/chunked", chunks)).text()).toBe(digest(large))
    const stream = await (await fetch(`${proxy!.url}/stream`)).text()
    expect(stream.split("\n").map((line) => line.split(":")[0])).toEqual([
      ...Array.from({ length: 50 }, (_, n) => `${n}`),
      "end"
    ])
  })

  it("keeps the client's connection, also after an answer of its own", async () => {
    await start({ rules: [{ operation: "GET /1", fault: { answer: { status: 429 } } }] })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    for (let index = 0; index < 3; index++) {
      const call = request(`${proxy!.url}/${index}`, { agent }).end()
      const [answer] = await once(call, "response")
      ports.add(call.socket?.localPort)
      await text(answer)
    }
    agent.destroy()
    expect(ports.size).toBe(1)
    expect(effects).toEqual(["GET /0", "GET /2"])
  })

  it("closes the client's connection where the target does, and where there is none", async () => {
    await start()
    await expect(put("/drop")).rejects.toThrow("fetch failed")
    target.close()
    target.closeAllConnections()
    await expect(put("/a")).rejects.toThrow("fetch failed")
    expect(proxy!.calls).toHaveLength(2)
  })
})

describe("a fault", () => {
  const once = (fault: Fault) => start({ rules: [{ operation: "PUT /a", nth: 1, fault }] })

  it("answers in place of the target", async () => {
    await once({ answer: ({ body, path }) => ({ status: 503, body: `${path} ${body.length}` }) })
    const refused = await put("/a", "four")
    expect([refused.status, await refused.text()]).toEqual([503, "/a 4"])
    expect(effects).toEqual([])
    expect((await put("/a")).status).toBe(200)
    expect(proxy!.calls).toEqual([
      { operation: "PUT /a", faults: ["answer"], forwarded: 0 },
      { operation: "PUT /a", faults: [], forwarded: 1 }
    ])
  })

  it("cuts before the effect", async () => {
    await once({ cut: "before" })
    await expect(put("/a")).rejects.toThrow("fetch failed")
    expect(effects).toEqual([])
    expect((await put("/a")).status).toBe(200)
  })

  it("cuts after the effect, so that a repeat finds it", async () => {
    await once({ cut: "after" })
    await expect(put("/a")).rejects.toThrow("fetch failed")
    expect(effects).toEqual(["PUT /a"])
    expect((await put("/a")).status).toBe(409)
    expect(proxy!.calls[0]).toEqual({ operation: "PUT /a", faults: ["cut"], forwarded: 1 })
  })

  it("repeats a request, and hands on the last answer", async () => {
    await once({ repeat: 2 })
    expect((await put("/a", "body")).status).toBe(409)
    expect(effects).toEqual(["PUT /a", "PUT /a", "PUT /a"])
    expect(proxy!.calls[0]?.forwarded).toBe(3)
  })

  it.each([
    ["before", ["PUT /b"]],
    ["after", ["PUT /a"]]
  ] as const)("delays a call %s its effect", async (when, then) => {
    await once({ delay: 60_000, when })
    const call = put("/a").then(
      () => "answered",
      () => "closed"
    )
    if (when === "before") await put("/b")
    await vi.waitFor(() => expect(effects).toEqual(then))
    // Closing the proxy ends what waits.
    await proxy!.close()
    expect(await call).toBe("closed")
  })

  it("comes on top of a delay", async () => {
    await start({
      rules: [
        { fault: { delay: 30 } },
        { fault: { delay: 30, when: "after" } },
        { fault: { answer: { status: 418 } } },
        { fault: { cut: "before" } }
      ]
    })
    const before = performance.now()
    expect((await put("/a")).status).toBe(418)
    expect(performance.now() - before).toBeGreaterThanOrEqual(58)
    expect(proxy!.calls).toEqual([{ operation: "PUT /a", faults: ["delay", "answer"], forwarded: 0 }])
  })
})

describe("a rule", () => {
  const statuses = async (paths: ReadonlyArray<string>) => {
    const found: Array<number> = []
    for (const path of paths) found.push((await fetch(`${proxy!.url}${path}`)).status)
    return found.map((status) => (status === 429 ? 1 : 0)).join("")
  }
  const slow: Fault = { answer: { status: 429 } }

  it("hits the n-th call that it matches, and as many more as it says", async () => {
    await start({ rules: [{ operation: "GET /a", nth: 2, times: 2, fault: slow }] })
    expect(await statuses(["/a", "/b", "/a", "/b", "/a", "/a"])).toBe("001010")
    expect(proxy!.count()).toBe(6)
    expect(proxy!.count("GET /a")).toBe(4)
    expect(proxy!.count("GET /a", "answer")).toBe(2)
    expect(proxy!.count(undefined, "cut")).toBe(0)
  })

  it("takes a pattern, and all operations without one", async () => {
    await start({ rules: [{ operation: /^GET \/a/, fault: slow }] })
    expect(await statuses(["/a", "/ab", "/b"])).toBe("110")
    proxy!.add({ times: 1, fault: slow })
    expect(await statuses(["/b", "/b"])).toBe("10")
  })

  it("counts from when it was added, and ends when it is removed", async () => {
    await start()
    expect(await statuses(["/a", "/a"])).toBe("00")
    const end = proxy!.add({ nth: 2, times: Infinity, fault: slow })
    expect(await statuses(["/a", "/a", "/a"])).toBe("011")
    end()
    expect(await statuses(["/a"])).toBe("0")
  })

  it("draws the same calls of an operation from a seed, however operations interleave", async () => {
    const drawn = async (seed: number, paths: ReadonlyArray<string>, keep = "/a") => {
      await start({ seed, rules: [{ probability: 0.3, fault: slow }] })
      const all = await statuses(paths)
      await proxy!.close()
      return [...all].filter((_, index) => paths[index] === keep).join("")
    }
    const alone = Array.from({ length: 100 }, () => "/a")
    const mixed = alone.flatMap((path) => ["/b", path])
    const first = await drawn(7, alone)
    expect(await drawn(7, mixed)).toBe(first)
    expect(await drawn(8, alone)).not.toBe(first)
    expect(await drawn(7, mixed, "/b")).not.toBe(first)
    const share = [...first].filter((hit) => hit === "1").length / 100
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.4)
  })
})

describe("the protocols", () => {
  const of = (headers: Readonly<Record<string, string>>, body: string, path = "/") => ({
    method: "POST",
    path,
    headers,
    body: new TextEncoder().encode(body)
  })

  it("name their operations", async () => {
    expect(operations.awsQuery(of({}, "Version=2010-05-15&Action=CreateChangeSet&StackName=a"))).toBe("CreateChangeSet")
    expect(operations.awsQuery(of({}, "", "/?Action=DescribeStacks&Version=1"))).toBe("DescribeStacks")
    expect(operations.awsQuery(of({}, "{}"))).toBe("")
    expect(operations.awsJson(of({ "x-amz-target": "DynamoDB_20120810.PutItem" }, "{}"))).toBe("PutItem")
    expect(operations.awsJson(of({}, ""))).toBe("")
    await start({
      operationOf: () => {
        throw new Error("no such protocol")
      }
    })
    expect(await (await put("/a")).text()).toBe("fault-proxy: Error: no such protocol")
    expect(operations.rest(of({}, "", "/v2/services/a?updateMask=traffic"))).toBe("POST /v2/services/a")
  })

  it("have answers of failures", async () => {
    await start({
      rules: [
        { operation: "GET /query", fault: { answer: answers.awsQuery({ code: "Throttling", message: "a < b & c" }) } },
        { operation: "GET /json", fault: { answer: answers.awsJson({ code: "ThrottlingException" }) } },
        {
          operation: "GET /google",
          fault: {
            answer: answers.google({
              status: 403,
              code: "PERMISSION_DENIED",
              message: "no",
              details: [{ reason: "IAM" }]
            })
          }
        }
      ]
    })
    const get = async (path: string) => {
      const answer = await fetch(`${proxy!.url}${path}`)
      return [answer.status, answer.headers.get("content-type"), await answer.text()] as const
    }
    const [status, type, xml] = await get("/query")
    expect([status, type]).toEqual([400, "text/xml"])
    expect(xml).toContain("<Code>Throttling</Code><Message>a &lt; b &amp; c</Message>")
    expect(await get("/json")).toEqual([
      400,
      "application/x-amz-json-1.0",
      `{"__type":"ThrottlingException","message":"ThrottlingException"}`
    ])
    const [forbidden, , google] = await get("/google")
    expect(forbidden).toBe(403)
    expect(JSON.parse(google)).toEqual({
      error: { code: 403, status: "PERMISSION_DENIED", message: "no", details: [{ reason: "IAM" }] }
    })
  })
})
