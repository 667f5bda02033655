import { connect } from "@signalbox/node"
import { type ChildProcess, spawn } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"

const here = import.meta.dirname
const shop = { project: "acme/shop", environment: "production" } as const

let folder: string
const started = new Set<ChildProcess>()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sdk-coordination-"))
  for (const name of ["main.ts", "deploy.mjs"]) cpSync(join(here, name), join(folder, name))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  symlinkSync(join(here, "node_modules"), join(folder, "node_modules"))
})
afterEach(() => {
  for (const child of started) child.kill("SIGKILL")
  rmSync(folder, { recursive: true })
})

const release = (version: string) =>
  new Promise<{ readonly code: number | null; readonly out: string }>((resolve) => {
    const child = spawn(process.execPath, ["--conditions=@signalbox/source", "main.ts", version], {
      cwd: folder,
      env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}` }
    })
    started.add(child)
    let out = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (out += chunk.toString()))
    child.once("close", (code) => {
      started.delete(child)
      resolve({ code, out })
    })
  })

const opened = () => connect({ directory: join(folder, ".signalbox"), providers: [], by: "grace" })

describe("the example of the coordination", () => {
  it("is the one on the page", () => {
    const page = readFileSync(join(here, "../../docs/sdk.md"), "utf8")
    expect(page).toContain(`\`\`\`ts\n${readFileSync(join(here, "main.ts"), "utf8")}\`\`\`\n`)
  })

  it("runs three releases that start at once one after the other", async () => {
    const versions = ["1.0.0", "1.1.0", "1.2.0"]
    for (const [index, { code, out }] of (await Promise.all(versions.map(release))).entries()) {
      expect(out).toContain(`${versions[index]} is brought in, as `)
      expect(out).toContain(`${versions[index]} completed`)
      expect(code).toBe(0)
    }
    const lines = readFileSync(join(folder, "deployed.txt"), "utf8").trim().split("\n")
    expect(lines).toHaveLength(6)
    for (let line = 0; line < 6; line += 2) expect(lines[line + 1]).toBe(lines[line]?.replace("begin", "end"))
  })

  it("does not deploy a vetoed version, and says who vetoed it and why", async () => {
    const signalbox = await opened()
    await signalbox.veto({ ...shop, version: "6.6.6", reason: "it loses orders" })
    await signalbox.close()
    const { code, out } = await release("6.6.6")
    expect(out).toContain("version 6.6.6 was vetoed by grace: it loses orders")
    expect(code).toBe(2)
    expect(existsSync(join(folder, "deployed.txt"))).toBe(false)
  })
})
