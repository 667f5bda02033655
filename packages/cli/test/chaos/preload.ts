/**
 * Loaded into the command before it starts (`NODE_OPTIONS=--import`): reports every boundary of the journal to a file,
 * and acts at one of them as instructed. It sees what leaves the process: statements to SQLite and requests to the
 * supervisor's socket. The product does not know about it.
 *
 * The labels: `before`/`within`/`after <event id>` of an event (`within`: inserted, the transaction is still open), and
 * `call`/`connected`/`sent`/`answered <operation> <idempotency key>` of a mutation.
 */
import { appendFileSync } from "node:fs"
import { createRequire, syncBuiltinESMExports } from "node:module"
import { spawn } from "node:child_process"
import type * as Http from "node:http"
import type * as Sqlite from "node:sqlite"

const require = createRequire(import.meta.url)
const { CHAOS_TRACE, CHAOS_AT, CHAOS_NTH, CHAOS_DO, CHAOS_PLANT } = process.env
// The supervisor, the applications and detached runners are themselves.
for (const name of ["NODE_OPTIONS", "CHAOS_TRACE", "CHAOS_AT", "CHAOS_NTH", "CHAOS_DO", "CHAOS_PLANT"]) {
  delete process.env[name]
}

let left = Number(CHAOS_NTH ?? 1)
let shift = 0
const wall = Date.now
Date.now = () => wall() + shift

/** Reports a boundary, and performs the requested fault there. */
const reach = (label: string): void => {
  const at = Number(process.hrtime.bigint() / 1000n) / 1000
  const here = CHAOS_AT !== undefined && label.startsWith(CHAOS_AT) && --left === 0
  appendFileSync(
    CHAOS_TRACE!,
    `${JSON.stringify({ at, pid: process.pid, label, ...(here ? { did: CHAOS_DO } : {}) })}\n`
  )
  if (!here || CHAOS_DO === undefined) return
  if (CHAOS_DO === "kill") process.kill(process.pid, "SIGKILL")
  else if (CHAOS_DO === "stop") process.kill(process.pid, "SIGSTOP")
  else shift = Number(CHAOS_DO)
}

const patchSqlite = (): void => {
  const { StatementSync } = require("node:sqlite") as typeof Sqlite
  const columns = 8
  let open = false
  let written: Array<string> = []
  const around = (text: string, parameters: ReadonlyArray<unknown>, run: () => unknown): unknown => {
    if (text.startsWith("INSERT INTO signalbox_events")) {
      const ids = Array.from({ length: text.split("UNION ALL").length }, (_, row) => {
        const [stream, seq, id] = parameters.slice(row * columns) as [string, number, string]
        return { id, noted: `${id} ${stream} ${seq}` }
      })
      for (const { id } of ids) reach(`before ${id}`)
      const rows = run() as ReadonlyArray<unknown>
      if (rows.length < ids.length) return rows
      if (open) {
        for (const { id } of ids) reach(`within ${id}`)
        written.push(...ids.map(({ noted }) => noted))
      } else committed(ids.map(({ noted }) => noted))
      return rows
    }
    if (CHAOS_PLANT === "forget" && /FROM signalbox_events/.test(text)) {
      // A journal that lost its receipts.
      return (run() as ReadonlyArray<{ readonly tag?: string }>).filter(({ tag }) => tag !== "StepFinished")
    }
    const result = run()
    if (text.startsWith("BEGIN")) open = true
    if (text === "ROLLBACK") [open, written] = [false, []]
    if (text.startsWith("COMMIT")) {
      const done = written
      ;[open, written] = [false, []]
      if (done.length > 0) committed(done)
    }
    return result
  }
  const committed = (noted: ReadonlyArray<string>) => {
    const events = noted.map(split)
    // All at once, before anything happens at the first.
    const lines = events.map(([id, stream, seq]) => `${JSON.stringify({ committed: id, stream, seq })}\n`)
    appendFileSync(CHAOS_TRACE!, lines.join(""))
    for (const [id] of events) reach(`after ${id}`)
  }
  for (const name of ["all", "run", "get"] as const) {
    const original = StatementSync.prototype[name] as (...parameters: Array<unknown>) => unknown
    const patched = function (this: Sqlite.StatementSync, ...parameters: Array<unknown>) {
      return around(this.sourceSQL.trimStart(), parameters, () => original.apply(this, parameters))
    }
    Object.defineProperty(StatementSync.prototype, name, { value: patched })
  }
}

/** An id may hold spaces, a stream and a number do not. */
const split = (noted: string): readonly [string, string, number] => {
  const parts = noted.split(" ")
  return [parts.slice(0, -2).join(" "), parts.at(-2)!, Number(parts.at(-1))]
}

const mutations = new Set(["stage", "shift", "retire", "rollback", "destroy", "restart", "correct"])

const patchHttp = (): void => {
  const http = require("node:http") as typeof Http
  const original = http.request as (...args: Array<unknown>) => Http.ClientRequest
  http.request = ((...args: Array<unknown>) => {
    const options = args[0] as Http.RequestOptions
    const operation = options.path?.slice(1) ?? ""
    const call = original(...args)
    if (options.socketPath === undefined || !mutations.has(operation)) return call
    const end = call.end.bind(call) as (body: string) => Http.ClientRequest
    call.end = ((text: string) => {
      const body = JSON.parse(text) as { idempotencyKey: string; fence: number }
      const about = `${operation} ${body.idempotencyKey}`
      // Before its bytes go out: a process that sleeps here has passed every check.
      call.once("socket", (socket) => socket.once("connect", () => reach(`connected ${about}`)))
      call.once("response", (response) =>
        response.on("data", (chunk: Buffer) => {
          if (/^\{"(ok|failed)"/m.test(String(chunk))) reach(`answered ${about}`)
        })
      )
      call.once("finish", () => setImmediate(() => reach(`sent ${about}`)))
      reach(`call ${about}`)
      // A caller that sends a fence which it never held.
      return end(CHAOS_PLANT === "fence" ? JSON.stringify({ ...body, fence: body.fence + 1000 }) : text)
    }) as typeof call.end
    return call
  }) as typeof http.request
  syncBuiltinESMExports()
}

/** A process with the mark of the supervisor's instances that no supervisor manages. */
const leave = (owner: string): void => {
  const env = { ...process.env, SIGNALBOX_SUPERVISOR: owner, SIGNALBOX_INSTANCE: "left-behind" }
  spawn("sleep", ["600"], { detached: true, stdio: "ignore", env }).unref()
}

if (CHAOS_TRACE !== undefined && process.argv[2] !== "__supervisor") {
  patchSqlite()
  patchHttp()
  if (CHAOS_PLANT?.startsWith("orphan:") === true) leave(CHAOS_PLANT.slice("orphan:".length))
}
