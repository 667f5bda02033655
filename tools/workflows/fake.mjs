// Stands where signalbox would, answers as FAKE_ANSWERS says, and writes down how it was called and what came to it.
import { spawnSync } from "node:child_process"
import { appendFileSync } from "node:fs"

const args = process.argv.slice(2)
/** @param {unknown} entry */
const note = (entry) => appendFileSync(process.env["FAKE_LOG"] ?? "", `${JSON.stringify(entry)}\n`)
note({ args, env: process.env })

/** @type {Record<string, { code?: number, stdout?: string, stderr?: string, hang?: boolean, logged?: string }>} */
const answers = JSON.parse(process.env["FAKE_ANSWERS"] ?? "{}")
const { code = 0, hang = false, logged = "", stderr = "", stdout = "" } = answers[args[0] ?? ""] ?? {}

const logFile = args[args.indexOf("--log-file") + 1]
if (args.includes("--log-file") && logFile !== undefined) appendFileSync(logFile, logged)
const end = args.indexOf("--")
const [command = "", ...rest] = end === -1 ? [] : args.slice(end + 1)
const ran = command === "" ? 0 : (spawnSync(command, rest, { stdio: ["ignore", "inherit", "inherit"] }).status ?? 1)

process.stderr.write(stderr)
process.stdout.write(stdout)
process.exitCode = code === 0 ? ran : code
if (hang) {
  const alive = setInterval(() => {}, 1000)
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      note({ signal })
      clearInterval(alive)
      process.exitCode = signal === "SIGINT" ? 130 : 143
    })
  }
  process.stderr.write("hanging\n")
}
