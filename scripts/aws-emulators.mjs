// Installs and starts the emulators of AWS that the tests use: `node scripts/aws-emulators.mjs` runs one until Ctrl-C.
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { installOnce } from "./install-once.mjs"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const cache = join(root, "node_modules", ".cache", "signalbox")

/** What can be installed. The tests use ministack, and moto as a cross-check of the store. */
const emulators = {
  ministack: { version: "1.5.33", requirement: "ministack", program: "ministack", health: "/_ministack/health" },
  moto: { version: "5.2.5", requirement: "moto[server]", program: "python", health: "/moto-api/data.json" }
}

const run = (command, args) => {
  const { error, status, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: 900_000 })
  if (error !== undefined || status !== 0) {
    throw new Error(`${command} ${args.join(" ")} failed: ${error?.message ?? stderr}`)
  }
}

/** Installs an emulator once, and returns its program. Throws if Python or the package cannot be had. */
export const install = (name = "ministack") => {
  const { program: file, requirement, version } = emulators[name]
  const folder = join(cache, `${name}-${version}`)
  const program = join(folder, "bin", file)
  // A venv cannot be moved, so this tells a complete one from one that was interrupted.
  const complete = join(folder, "complete")
  installOnce(folder, complete, () => {
    rmSync(folder, { recursive: true, force: true })
    try {
      run("python3", ["-m", "venv", folder])
      run(join(folder, "bin", "pip"), ["install", "-q", "--disable-pip-version-check", `${requirement}==${version}`])
      writeFileSync(complete, "")
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  })
  return program
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/**
 * Starts an emulator on the loopback interface. `auth` makes ministack check signatures and IAM policies; there, a 12-digit
 * access key selects an account.
 */
export const start = async ({ auth = false, env = {}, name = "ministack" } = {}) => {
  const program = install(name)
  const { health } = emulators[name]
  const port = await freePort()
  const home = mkdtempSync(join(tmpdir(), "signalbox-aws-"))
  const child = spawn(program, name === "moto" ? [join(root, "scripts", "moto-server.py"), String(port)] : [], {
    cwd: home,
    stdio: "ignore",
    env: {
      ...process.env,
      // Its Lambda functions run with the node that is found first.
      PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      ...(auth ? { AUTH: "true" } : {}),
      ...env
    }
  })
  const url = `http://127.0.0.1:${port}`
  const ended = new Promise((resolve) => child.once("exit", resolve))
  const stop = async () => {
    child.kill("SIGTERM")
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000)
    await ended
    clearTimeout(timer)
    rmSync(home, { recursive: true, force: true })
  }
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`)
    const ready = await fetch(`${url}${health}`).then(
      ({ ok }) => ok,
      () => false
    )
    if (ready) return { url, pid: child.pid, stop }
    await sleep(100)
  }
  await stop()
  throw new Error(`${name} did not become ready within 2 minutes`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const name = process.argv.includes("--moto") ? "moto" : "ministack"
  const { stop, url } = await start({ auth: process.argv.includes("--auth"), name })
  console.log(`AWS_ENDPOINT_URL=${url}`)
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop().then(() => process.exit(0)))
}
