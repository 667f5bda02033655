/**
 * The real command, which deploys a site of many files and is killed in the upload; another one ends it.
 */
import { spawn } from "node:child_process"
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { cleanEnvironment } from "../../../cli/test/bundle.ts"
import { platform, project, site, write } from "../hosting/platform.ts"
import { link } from "./link.ts"

const id = "DX6604E"

const yaml = `
organization: acme
project: shop
environments: { production: { account: ${project} } }
plugins: ["@signalbox/provider-gcp"]
stacks:
  - name: web
    provider: "gcp:firebase-hosting"
    strategy: { type: blue_green, bake: 0 millis }
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties: { site: ${site}, public: "\${version}" }
`

/** What a run came to. `peak` is the most memory that the second command had, in MB; 0 where that cannot be read. */
export interface Uploaded {
  readonly before: number
  readonly after: number
  readonly peak: number
}

/** The most memory that a process has had until now, in MB; undefined once it is gone. */
const peakOf = (pid: number): number | undefined => {
  try {
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
  } catch {
    return undefined
  }
}

/** Files of 8 KB each, which do not become smaller when they are compressed. */
const content = (seed: number) => createHash("shake256", { outputLength: 8_192 }).update(String(seed)).digest()

/** Deploys so many files. `program` is the bundled command, `flags` are for Node. */
export const uploaded = async (
  program: string,
  files: number,
  flags: ReadonlyArray<string> = []
): Promise<Uploaded> => {
  const here = await platform(
    Object.fromEntries(Array.from({ length: files }, (_, n) => [`many/${n}.bin`, content(n)]))
  )
  const { directory, simulator } = here
  const { hosting } = simulator
  link(directory)
  write(directory, { "signalbox.config.yaml": yaml })
  const sent = (): ReadonlyArray<unknown> =>
    simulator.calls.flatMap(({ failed, method, request }) =>
      method === "UploadFile" && failed === undefined ? [request["hash"]] : []
    )

  /** Runs the command, and kills it once so many files were sent. */
  const command = async (most: number, ...args: ReadonlyArray<string>) => {
    const child = spawn(process.execPath, [...flags, program, ...args], {
      cwd: directory,
      env: {
        ...cleanEnvironment(),
        HOME: directory,
        XDG_CONFIG_HOME: join(directory, "none"),
        FIREBASE_HOSTING_API_URL: hosting.url
      },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let said = ""
    child.stdout.on("data", (data) => (said += data))
    child.stderr.on("data", (data) => (said += data))
    let peak = 0
    const watching = setInterval(() => {
      peak = peakOf(child.pid!) ?? peak
      if (sent().length >= most) child.kill("SIGKILL")
    }, 5)
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve))
    clearInterval(watching)
    if (code !== null) assert.equal(code, 0, `${args.join(" ")}: ${said}`)
    return { killed: code === null, peak: Math.round(peak) }
  }

  try {
    const deploy = ["deploy", "--version", "many", "--correlation-id", "release-1"]
    await command(Infinity, "init", "--id", id)
    const first = await command(files / 2, ...deploy)
    assert.ok(first.killed)
    const before = sent().length
    assert.ok(before < files)
    assert.deepEqual(
      hosting.versions(site).map(({ status }) => status),
      ["CREATED"]
    )
    const { peak } = await command(Infinity, ...deploy)
    const [version, ...others] = hosting.versions(site)
    assert.deepEqual(others, [])
    assert.equal(version!.status, "FINALIZED")
    assert.equal(Object.keys(hosting.files(version!.name)).length, files)
    const all = sent()
    assert.equal(new Set(all).size, all.length, "no file is sent twice")
    assert.equal(all.length, files)
    return { before, after: all.length - before, peak }
  } finally {
    await here.close()
  }
}
