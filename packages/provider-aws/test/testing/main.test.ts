/**
 * The simulator as a process of its own.
 */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { clients } from "./world.ts"

const main = fileURLToPath(new URL("../../src/testing/main.ts", import.meta.url))

const begin = (...args: ReadonlyArray<string>) => {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--conditions=@signalbox/source", main, ...args],
    { stdio: ["ignore", "pipe", "pipe"] }
  )
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
  return { child, ended }
}

describe("the process", { concurrent: true }, () => {
  it("serves the vendor's clients and requests, and is controlled over HTTP", async () => {
    const { child, ended } = begin("--seed", "--scale", "0", "--app", 's3://shop/v1={"body":"first"}')
    try {
      const said = new Map<string, string>()
      for await (const line of createInterface(child.stdout)) {
        if (line === "READY") break
        said.set(line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1))
      }
      const endpoint = said.get("AWS_ENDPOINT_URL")!
      expect(await (await fetch(said.get("LISTENER_URL")!)).text()).toBe("first")
      const { listener } = JSON.parse(said.get("SERVICE")!) as { readonly listener: string }
      const { Listeners } = await clients(endpoint).elb.describeListeners({ ListenerArns: [listener] })
      expect(Listeners).toHaveLength(1)
      const control = async (method: string, ...args: ReadonlyArray<unknown>) => {
        const answer = await fetch(`${endpoint}/_simulator/${method}`, { method: "POST", body: JSON.stringify(args) })
        return { status: answer.status, json: (await answer.json()) as unknown }
      }
      const before = (await control("now")).json as number
      await control("advance", 60_000)
      expect((await control("now")).json).toBe(before + 60_000)
      expect((await control("faults.weights", 0)).status).toBe(200)
      expect(await control("ledger")).toMatchObject({
        json: { writes: [], calls: [{ operation: "DescribeListeners" }] }
      })
      expect((await control("faults.noCapacity", "none")).status).toBe(400)
      expect((await control("nothing")).status).toBe(404)
    } finally {
      child.kill("SIGTERM")
      expect(await ended).toBe(0)
    }
  })

  it.each([["--nothing"], ["--app", "s3://shop/v1={"]])("refuses %s with exit code 64", async (...args) => {
    expect(await begin(...args).ended).toBe(64)
  })
})
