import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { cp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { fencesOf } from "./fences.ts"
import { bin, read, root } from "./repository.ts"

const example = join(root, "examples/sdk-quickstart")
const code = (language: string) =>
  fencesOf("README.md")
    .filter((fence) => fence.language === language)
    .map(({ code }) => code)

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "readme-"))
  mkdirSync(join(folder, "web"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  symlinkSync(join(example, "node_modules"), join(folder, "node_modules"))
  writeFileSync(join(folder, "web/server.mjs"), code("js").join("\n"))
  writeFileSync(join(folder, "main.ts"), code("ts").join("\n"))
  await cp(join(example, "stop.ts"), join(folder, "stop.ts"))
})

const run = (file: string) =>
  spawnSync(join(bin, "node"), ["--conditions=@signalbox/source", file], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` }
  })

afterAll(() => rmSync(folder, { recursive: true }))

describe("the example of the README", () => {
  it("is the one in the repository", () => {
    expect(code("ts")).toEqual([read("examples/sdk-quickstart/main.ts")])
    expect(code("js")).toEqual([read("examples/sdk-quickstart/web/server.mjs")])
  })

  it("has fifteen lines or so besides what it imports", () => {
    const lines = code("ts")
      .join("\n")
      .split("\n")
      .filter((line) => line.trim() !== "" && !line.startsWith("import "))
    expect(lines.length).toBeLessThanOrEqual(18)
  })

  it("deploys an application that answers", async () => {
    try {
      const { status, stderr, stdout } = run("main.ts")
      expect(stderr).toBe("")
      expect(status).toBe(0)
      const [, url = ""] = /^completed (http:\S+)\n$/.exec(stdout) ?? []
      expect(await (await fetch(url)).text()).toBe("hello from 1.0.0\n")
    } finally {
      expect(run("stop.ts").stdout).toBe("web absent\n")
    }
  }, 120_000)
})
