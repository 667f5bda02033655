/**
 * Changes of stacks, one at a time for each stack: repeats join the work in progress, newer callers replace older ones.
 */
import * as FailedLogs from "./instance/FailedLogs.ts"
import * as Operations from "./operations/index.ts"
import { type MutationHeader, type Mutations, refuse, type StackKey, type StackView } from "./Protocol.ts"
import type { House, Stack } from "./Stack.ts"
import type { Stacks } from "./Stacks.ts"
import { keyOf } from "./State.ts"
import { viewOf } from "./StackView.ts"
import { viewAbsent } from "./Stopped.ts"

/** The body of a mutation; which fields there are depends on the operation. */
export type MutationBody = MutationHeader &
  Mutations["stage"] &
  Mutations["shift"] &
  Mutations["retire"] &
  Mutations["rollback"] &
  Mutations["correct"]

export interface Abandonment {
  readonly stacks: ReadonlyArray<StackKey>
  readonly environments: ReadonlyArray<Omit<StackKey, "stack">>
}

interface Work {
  readonly key: string
  readonly operation: string
  readonly startedAt: number
  readonly abort: AbortController
  readonly listeners: Set<(message: string, resource?: string) => void>
  readonly done: Promise<unknown>
}

export class StackMutations {
  readonly #house: House
  readonly #stacks: Stacks
  readonly #work = new Map<string, Work>()
  /** The latest call about each stack. */
  readonly #latest = new Map<string, Pick<MutationHeader, "fence" | "order">>()
  /** Whether missing processes were started. A supervisor that a command started waits for that command's request. */
  #resumed: boolean

  constructor(house: House, stacks: Stacks, resumed: boolean) {
    this.#house = house
    this.#stacks = stacks
    this.#resumed = resumed
  }

  /** Describes a stack and its operation in progress. */
  view(key: StackKey): StackView | null {
    const stack = this.#stacks.get(key)
    const work = this.#work.get(keyOf(key))
    if (stack === undefined) return viewAbsent(this.#house.file.fence(key))
    if (work === undefined) return viewOf(stack, null)
    const { key: id, operation: description, startedAt } = work
    return viewOf(stack, { id, description, foreign: false, startedAt })
  }

  /**
   * One mutation: the same key joins the work in progress, or finds that it was done; another key with a fence that is
   * not older takes over. The lease ensures that there is one caller: the one with the newer fence is the caller now.
   */
  async mutate(
    operation: keyof Mutations,
    body: MutationBody,
    progress: (message: string, resource?: string) => void
  ): Promise<StackView | null> {
    const { file, secrets } = this.#house
    const id = keyOf(body)
    this.#refuseLate(id, body)
    for (;;) {
      const memory = file.memory(id)
      refuseOlder(file.fence(body), body.fence)
      if (body.fence > memory.fence) {
        memory.fence = body.fence
        await file.save()
        continue
      }
      if (memory.done.includes(body.idempotencyKey)) return this.view(body)
      const current = this.#work.get(id)
      if (current === undefined) break
      if (current.key === body.idempotencyKey) {
        current.listeners.add(progress)
        await current.done
        return this.view(body)
      }
      current.abort.abort()
      await current.done.catch(() => undefined)
    }
    const fresh = secrets.tell(id, body.secrets)
    const abort = new AbortController()
    const listeners = new Set([progress])
    const tell = (message: string, resource?: string) => {
      for (const listener of listeners) listener(message, resource)
    }
    const perform = async () => {
      await this.#resume(operation, body, fresh)
      await this.#perform(operation, body, abort.signal, tell)
    }
    const done = perform().finally(() => this.#work.delete(id))
    done.catch(() => undefined)
    this.#work.set(id, { key: body.idempotencyKey, operation, startedAt: Date.now(), abort, listeners, done })
    await done
    return this.view(body)
  }

  /** Refuses older fences of the environment from now on. The fence is kept with its stacks' fences. */
  async fence(place: StackKey & Pick<MutationHeader, "fence">): Promise<void> {
    const { file } = this.#house
    refuseOlder(file.fence(place), place.fence)
    file.memory(keyOf(place)).fence = place.fence
    await file.save()
  }

  /** Stops stacks that no store knows, and forgets the fences that the lost store had shown. */
  async abandon({ environments, stacks }: Abandonment): Promise<null> {
    const { file } = this.#house
    await Promise.all(
      stacks.map(async (key) => {
        const stack = this.#stacks.get(key)
        const work = this.#work.get(keyOf(key))
        work?.abort.abort()
        await work?.done.catch(() => undefined)
        if (stack === undefined) return
        await Operations.destroy(stack, {
          key: "abandon",
          signal: new AbortController().signal,
          progress: () => undefined,
          effect: () => undefined
        })
        await this.#stacks.forget(stack)
      })
    )
    for (const { deploymentId, environment } of environments) file.forget(deploymentId, environment)
    await file.save()
    return null
  }

  /** Aborts the operation in progress. */
  abort(stack: Stack): void {
    this.#work.get(stack.key)?.abort.abort()
  }

  /** Refuses a call that was sent before one that has arrived: what was given up must not undo what came after it. */
  #refuseLate(id: string, { fence, order }: MutationHeader): void {
    const latest = this.#latest.get(id)
    if (latest?.fence === fence && order < latest.order) {
      refuse({ _tag: "Conflict", message: "a later call of the same holder has been here" })
    }
    if (latest === undefined || fence >= latest.fence) this.#latest.set(id, { fence, order })
  }

  /**
   * Starts missing processes before the first change of this supervisor, and again for stacks that lacked secrets when
   * there are new ones; not for stacks that are about to be removed.
   */
  async #resume(operation: keyof Mutations, key: StackKey, fresh: boolean): Promise<void> {
    if (fresh) this.#house.onSecrets()
    const own = this.#stacks.get(key)
    const others = this.#resumed ? [] : this.#stacks.all.filter((stack) => stack !== own)
    const all = own === undefined || operation === "destroy" || (this.#resumed && !fresh) ? others : [...others, own]
    this.#resumed = true
    await Promise.all(all.map((stack) => stack.resume()))
  }

  async #perform(
    operation: keyof Mutations,
    body: MutationBody,
    signal: AbortSignal,
    progress: (message: string, resource?: string) => void
  ): Promise<void> {
    const { file } = this.#house
    const stack = this.#stackFor(operation, body)
    if (stack !== undefined) {
      const run: Operations.Run = {
        key: body.idempotencyKey,
        signal,
        progress,
        effect: (releaseId) => {
          // A repeat that finishes work from before a crash is the same effect.
          if (stack.state.begun === body.idempotencyKey) return
          stack.state.begun = body.idempotencyKey
          stack.state.lastChangedAt = Date.now()
          file.note(body, { operation, releaseId, fence: body.fence, idempotencyKey: body.idempotencyKey })
        }
      }
      try {
        await this.#carryOut(operation, stack, body, run)
      } catch (error) {
        // An effect that never reached the disk never began.
        if (file.withdraw(body.idempotencyKey)) stack.state.begun = null
        throw error
      } finally {
        if (stack.gone || (stack.state.instances.length === 0 && stack.state.stable === null))
          await this.#stacks.forget(stack)
      }
    } else if (operation !== "destroy" && !(operation === "rollback" && body.checkpoint.release === null)) {
      refuse({ _tag: "Missing", message: "nothing is deployed" })
    } else if (operation === "destroy") {
      FailedLogs.forget(this.#house.root, body)
    }
    await file.remember(keyOf(body), body.idempotencyKey)
  }

  #carryOut(operation: keyof Mutations, stack: Stack, body: MutationBody, run: Operations.Run): Promise<void> {
    switch (operation) {
      case "stage":
        return Operations.stage(stack, body, run)
      case "shift":
        return Operations.shift(stack, body, run)
      case "retire":
        return Operations.retire(stack, body, run)
      case "rollback":
        return Operations.rollback(stack, body, run)
      case "destroy":
        return Operations.destroy(stack, run)
      case "restart":
        return Operations.restart(stack, run)
      case "correct":
        return Operations.correct(stack, body, run)
      default:
        return refuse({ _tag: "Unsupported", message: `no operation ${operation}`, capability: operation })
    }
  }

  #stackFor(operation: keyof Mutations, body: MutationBody): Stack | undefined {
    const brings = operation === "stage" || (operation === "rollback" && body.checkpoint.release !== null)
    return this.#stacks.get(body) ?? (brings ? this.#stacks.create(body) : undefined)
  }
}

const refuseOlder = (newest: number, fence: number): void => {
  if (fence < newest) refuse({ _tag: "Fenced", message: `fence ${fence} is older than ${newest}`, fence: newest })
}
