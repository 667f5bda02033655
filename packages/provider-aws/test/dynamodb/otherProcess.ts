/**
 * The store of another process. As a program, this module is that process: it does what it is told by messages.
 */
import type { PlainOutbox, PlainStore } from "@signalbox/core/plugin"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { openStore } from "../../src/dynamodb/store.ts"

interface Call {
  readonly id: number
  readonly operation: string
  readonly args: ReadonlyArray<unknown>
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly message: string; readonly reason: unknown; readonly detail: unknown }
}

const serialization = "advanced"

/** Opens a store in a process of its own, which ends with it. */
export const storeInOtherProcess = async (url: string): Promise<PlainStore> => {
  const child = fork(fileURLToPath(import.meta.url), [], {
    serialization,
    execArgv: ["--conditions=@signalbox/source", "--disable-warning=ExperimentalWarning"]
  })
  const waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }
  >()
  child.on("message", ({ error, id, value }: Answer) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(Object.assign(new Error(error.message), error))
  })
  child.on("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the other process has ended"))
  })
  let calls = 0
  const call = (operation: string, ...args: ReadonlyArray<unknown>): Promise<never> =>
    new Promise((resolve, reject) => {
      const id = (calls += 1)
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      child.send({ id, operation, args } satisfies Call)
    })
  await call("open", url)
  const of =
    (operation: keyof PlainStore | `outbox.${keyof PlainOutbox}`) =>
    (...args: ReadonlyArray<unknown>) =>
      call(operation, ...args)
  // Both processes have the same clock, and a message takes a while.
  const timed =
    (operation: "lease" | "leases") =>
    async (...args: ReadonlyArray<unknown>) => {
      const before = Date.now()
      const { now: ahead, ...found } = (await call(operation, ...args)) as { readonly now: number }
      return { ...found, now: before + ahead } as never
    }
  return {
    head: of("head"),
    commit: of("commit"),
    events: of("events"),
    execution: of("execution"),
    executions: of("executions"),
    deployment: of("deployment"),
    deployments: of("deployments"),
    environment: of("environment"),
    environments: of("environments"),
    newest: of("newest"),
    pulse: () => call("pulse"),
    prune: of("prune"),
    lease: timed("lease"),
    leases: timed("leases"),
    swap: of("swap"),
    outbox: {
      owed: of("outbox.owed"),
      mark: of("outbox.mark"),
      due: of("outbox.due"),
      deliveries: of("outbox.deliveries"),
      commit: of("outbox.commit")
    },
    close: async () => void child.disconnect()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let store: PlainStore | undefined
  const ended = new AbortController()
  const answer = async ({ args, operation }: Call): Promise<unknown> => {
    if (operation === "open") {
      store = await openStore(args[0] as string)
      return undefined
    }
    if (operation === "pulse") return store!.pulse(ended.signal)
    const asked = Date.now()
    const [part, name] = operation.startsWith("outbox.") ? [store!.outbox!, operation.slice(7)] : [store!, operation]
    const found = await (part as unknown as Record<string, (...args: ReadonlyArray<unknown>) => Promise<unknown>>)[
      name
    ]!(...args)
    if (operation !== "lease" && operation !== "leases") return found
    const { now, ...more } = found as { readonly now: number }
    return { ...more, now: now - asked }
  }
  process.on("message", (call: Call) => {
    answer(call).then(
      (value) => process.send?.({ id: call.id, value } satisfies Answer),
      ({ detail, message, reason }) =>
        process.send?.({ id: call.id, error: { detail, message, reason } } satisfies Answer)
    )
  })
  process.on("disconnect", () => ended.abort())
}
