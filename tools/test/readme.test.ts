import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { cp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { fencesOf } from "./fences.ts"
import { bin, read, root } from "./repository.ts"

const example = join(root, "examples/sdk-quickstart")
const code = (language: string) =>
  fencesOf("README.md")
    .filter((fence) => fence.language === language)
    .map(({ code }) => code)

const programs = ["main.ts", "effect.ts"]

const folders: Array<string> = []
const prepare = async (program: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), "readme-"))
  folders.push(folder)
  mkdirSync(join(folder, "web"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  symlinkSync(join(example, "node_modules"), join(folder, "node_modules"))
  writeFileSync(join(folder, "web/server.mjs"), code("js").join("\n"))
  writeFileSync(join(folder, program), code("ts")[programs.indexOf(program)] ?? "")
  await cp(join(example, "stop.ts"), join(folder, "stop.ts"))
  return folder
}
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })))

const run = (folder: string, file: string) =>
  spawnSync(join(bin, "node"), ["--conditions=@signalbox/source", file], {
    cwd: folder,
    encoding: "utf8",
    timeout: 600_000,
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` }
  })

describe("the examples of the README", () => {
  it("are the ones in the repository", () => {
    expect(code("ts")).toEqual(programs.map((program) => read(`examples/sdk-quickstart/${program}`)))
    expect(code("js")).toEqual([read("examples/sdk-quickstart/web/server.mjs")])
  })

  it("begin with fifteen lines that need two packages of ours and no Effect", () => {
    const [first = ""] = code("ts")
    expect(first.split("\n").filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(15)
    expect([...first.matchAll(/from "([^"]+)"/g)].map(([, name]) => name)).toEqual([
      "@signalbox/node",
      "@signalbox/provider-local"
    ])
  })

  it.each(programs)("%s deploys an application that answers", async (program) => {
    const folder = await prepare(program)
    try {
      const { status, stderr, stdout } = run(folder, program)
      expect(stderr).toBe("")
      expect(status).toBe(0)
      const [, url = ""] = /^completed (http:\S+)\n$/.exec(stdout) ?? []
      expect(await (await fetch(url)).text()).toBe("hello from 1.0.0\n")
    } finally {
      expect(run(folder, "stop.ts").stdout).toBe("web absent\n")
    }
  })
})
