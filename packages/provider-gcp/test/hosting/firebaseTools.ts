/**
 * The official command of Firebase: as a deployer beside Signalbox, and its emulator as a judge.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { type AddressInfo, createServer } from "node:net"
import { install } from "../../../../scripts/firebase-tools.mjs"
import { write } from "./platform.ts"

const find = (): string | undefined => {
  try {
    return install()
  } catch (error) {
    if (process.env["CI"]) throw error
    console.warn(`firebase-tools cannot be had here, so its tests are skipped: ${String(error)}`)
    return undefined
  }
}

/** The program; undefined if it cannot be had on this machine. */
export const program = find()

const apis = ["HOSTING_API", "API", "RESOURCEMANAGER", "TOKEN", "SERVICE_USAGE", "IDENTITY", "AUTH_MANAGEMENT"]

/** Every API leads to the simulator, and nothing of this machine's own credentials is used. */
const environment = (url: string, home: string, run = url): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: home,
  CI: "true",
  FIREBASE_TOKEN: "token",
  CLOUD_RUN_URL: run,
  ...Object.fromEntries(apis.map((name) => [`FIREBASE_${name}_URL`, url]))
})

const start = (args: ReadonlyArray<string>, directory: string, url: string, run?: string): ChildProcess =>
  spawn(process.execPath, [program!, ...args], {
    cwd: directory,
    env: environment(url, directory, run),
    stdio: ["ignore", "pipe", "pipe"]
  })

/** Runs the command, and returns what it said; rejects if it fails. `run` is the address of Cloud Run. */
export const firebase = (
  {
    directory,
    project,
    run,
    url
  }: { readonly directory: string; readonly project: string; readonly url: string; readonly run?: string },
  ...args: ReadonlyArray<string>
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = start([...args, "--project", project, "--non-interactive"], directory, url, run)
    let said = ""
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (data) => (said += data))
    child.once("error", reject)
    child.once("close", (code) =>
      code === 0 ? resolve(said) : reject(new Error(`firebase ${args.join(" ")} ended with ${code}: ${said}`))
    )
  })

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/**
 * Serves sites with the official emulator, and calls `use` with the address of each one, in the order of the entries of
 * `hosting`. The folder gets a `firebase.json`.
 */
export const emulated = async (
  directory: string,
  hosting: ReadonlyArray<object>,
  use: (addresses: ReadonlyArray<string>) => Promise<void>
): Promise<void> => {
  const [port, hub, logging] = await Promise.all([freePort(), freePort(), freePort()])
  const emulators = {
    hosting: { host: "127.0.0.1", port },
    hub: { host: "127.0.0.1", port: hub },
    logging: { host: "127.0.0.1", port: logging },
    ui: { enabled: false }
  }
  write(directory, { "firebase.json": JSON.stringify({ hosting, emulators }) })
  const child = start(["emulators:start", "--only", "hosting", "--project", "demo-x"], directory, "http://127.0.0.1:9")
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  let said = ""
  const ready = new Promise<ReadonlyArray<string>>((resolve, reject) => {
    const look = (data: Buffer) => {
      said += data.toString()
      const found = [...said.matchAll(/hosting\[s(\d+)\]: Local server: (http:\S+)/g)]
      if (found.length < hosting.length || !said.includes("All emulators ready")) return
      const byNumber = found.sort(([, a], [, b]) => Number(a) - Number(b))
      resolve(byNumber.map(([, , address]) => address!))
    }
    child.stdout!.on("data", look)
    child.stderr!.on("data", look)
    child.once("error", reject)
    child.once("close", (code) => reject(new Error(`the emulator ended with ${code}: ${said}`)))
  })
  try {
    await use(await ready)
  } finally {
    child.kill("SIGINT")
    await ended
  }
}
