import { ProcessLiveness } from "@signalbox/node"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { describe, expect, it } from "vitest"

const parts = ProcessLiveness.owner().split("/")

const withPart = (index: number, value: string) => parts.map((part, at) => (at === index ? value : part)).join("/")

describe("ProcessLiveness", () => {
  it("names this process the same way each time, and knows it alive", () => {
    expect(ProcessLiveness.owner()).toBe(parts.join("/"))
    expect(parts).toHaveLength(5)
    expect(parts[3]).toBe(`${process.pid}`)
    expect(ProcessLiveness.isDead(ProcessLiveness.owner())).toBe(false)
  })

  it("knows a process dead that has ended, and only then", async () => {
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] })
    await once(child, "spawn")
    const name = withPart(3, `${child.pid}`)
    const unsure = [...parts.slice(0, 3), `${child.pid}`, "-"].join("/")
    expect(ProcessLiveness.isDead(unsure)).toBe(false)
    child.kill("SIGKILL")
    await once(child, "exit")
    expect(ProcessLiveness.isDead(name)).toBe(true)
    expect(ProcessLiveness.isDead(unsure)).toBe(true)
  })

  it.runIf(process.platform === "linux")("sees through an id that was given to another process", () => {
    expect(ProcessLiveness.isDead(withPart(4, "1"))).toBe(true)
  })

  it("says nothing about other hosts, boots and namespaces, nor about foreign names", () => {
    const dead = withPart(3, "2147483000")
    expect(ProcessLiveness.isDead(dead)).toBe(process.platform === "linux" || process.platform === "darwin")
    for (const [index, value] of [
      [0, "another"],
      [1, "another"],
      [2, "1"],
      [1, "-"]
    ] as const) {
      const name = dead
        .split("/")
        .map((part, at) => (at === index ? value : part))
        .join("/")
      expect(ProcessLiveness.isDead(name)).toBe(false)
    }
    for (const name of ["", "runner-1", "a/b/c/d/e", "a/b/c/-1/5", "////", `${dead}/more`]) {
      expect(ProcessLiveness.isDead(name)).toBe(false)
    }
  })
})
