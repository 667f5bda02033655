import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

/** A real Postgres server, for the tests of one file. */
export interface Postgres {
  /** A new, empty database. */
  readonly database: () => string
  /** Runs SQL by the server's own client and gives its rows, columns separated by `|`. */
  readonly psql: (url: string, sql: string) => ReadonlyArray<string>
  readonly stop: () => Promise<void>
}

const binaries = (): string | undefined => {
  const installed = "/usr/lib/postgresql"
  const versions = existsSync(installed)
    ? readdirSync(installed)
        .sort((left, right) => Number(right) - Number(left))
        .map((v) => join(installed, v, "bin"))
    : []
  return [...versions, ...(process.env["PATH"] ?? "").split(delimiter)].find(
    (directory) => existsSync(join(directory, "initdb")) && existsSync(join(directory, "postgres"))
  )
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(address)))
    })
  })

/** Postgres refuses to run as root: there, as the user `postgres`, or `nobody` where that is missing. */
const asUser = (): ReadonlyArray<string> => {
  if (process.getuid?.() !== 0) return []
  const user = spawnSync("id", ["postgres"]).status === 0 ? "postgres" : "nobody"
  return ["setpriv", `--reuid=${user}`, `--regid=${groupOf(user)}`, "--clear-groups"]
}

const groupOf = (user: string): string => spawnSync("id", ["-g", user], { encoding: "utf8" }).stdout.trim()

/**
 * Starts a throwaway cluster in a temporary folder on a free loopback port, with fsync on. Returns undefined, with a
 * message, if no server is installed; on CI that is a failure.
 */
export const startPostgres = async (): Promise<Postgres | undefined> => {
  const bin = binaries()
  if (bin === undefined) {
    const message = "No Postgres server found (apt-get install -y postgresql): its store is NOT tested."
    if (process.env["CI"]) throw new Error(message)
    process.stderr.write(`\n${"!".repeat(message.length)}\n${message}\n${"!".repeat(message.length)}\n\n`)
    return undefined
  }
  const user = asUser()
  const folder = mkdtempSync(join(tmpdir(), "signalbox-postgres-"))
  const run = (name: string, args: ReadonlyArray<string>) => {
    const [command, ...rest] = [...user, join(bin, name), ...args]
    const result = spawnSync(command!, rest, { encoding: "utf8", cwd: folder })
    if (result.status !== 0) throw new Error(`${name} failed: ${result.stderr}${result.stdout}`)
    return result.stdout
  }
  if (user.length > 0) spawnSync("chown", [`${user[1]!.split("=")[1]}`, folder])
  const data = join(folder, "data")
  run("initdb", ["-D", data, "-U", "signalbox", "-A", "trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
  const port = await freePort()
  const [command, ...args] = [
    ...user,
    join(bin, "postgres"),
    "-D",
    data,
    "-h",
    "127.0.0.1",
    "-p",
    `${port}`,
    "-k",
    "",
    "-c",
    "fsync=on"
  ]
  const server = spawn(command!, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] })
  let log = ""
  server.stderr.on("data", (chunk) => (log += String(chunk)))
  const url = (name: string) => `postgres://signalbox@127.0.0.1:${port}/${name}`
  const psql = (target: string, sql: string) =>
    run("psql", ["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", target, "-c", sql])
      .split("\n")
      .filter((line) => line !== "")

  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      psql(url("postgres"), "SELECT 1")
      break
    } catch (error) {
      if (Date.now() > deadline || server.exitCode !== null)
        throw new Error(`Postgres did not start: ${log}`, { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  let databases = 0
  return {
    database: () => {
      const name = `store_${++databases}`
      psql(url("postgres"), `CREATE DATABASE ${name}`)
      return url(name)
    },
    psql,
    stop: async () => {
      const ended = new Promise((resolve) => server.once("exit", resolve))
      // SIGINT is Postgres's fast shutdown: open sessions are ended.
      if (server.exitCode === null && server.kill("SIGINT")) await ended
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
