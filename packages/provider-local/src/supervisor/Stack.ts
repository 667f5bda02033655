/**
 * One stack in one environment: its instances, its proxy, and their lifecycle. The operations of the port are in
 * `operations`.
 */
import { rmSync } from "node:fs"
import * as FailedLogs from "./instance/FailedLogs.ts"
import { Instance } from "./instance/Instance.ts"
import { freePort } from "./instance/Ports.ts"
import type { Surroundings } from "./instance/Surroundings.ts"
import { logOf, logsOf, releaseDirectory } from "./Paths.ts"
import { findMarked } from "./instance/Processes.ts"
import { Proxy } from "./proxy/Proxy.ts"
import { Requests } from "./proxy/Requests.ts"
import { missingSecrets, type Secrets } from "./Secrets.ts"
import { type InstanceRecord, keyOf, type KnownRelease, type StackState, type StateFile } from "./State.ts"

export interface House {
  /** The `.signalbox` directory. */
  readonly root: string
  readonly owner: string
  readonly file: StateFile
  readonly secrets: Secrets
  /** Called when a process revealed a secret that was not known. */
  readonly onSecrets: () => void
}

export class Stack {
  readonly state: StackState
  readonly house: House
  readonly proxy: Proxy
  readonly instances: Array<Instance> = []
  readonly #requests = new Map<string, Requests>()
  readonly #around: Surroundings
  readonly #never = new AbortController().signal
  #waiters: Array<() => void> = []
  #rebinding: NodeJS.Timeout | undefined
  gone = false

  constructor(state: StackState, house: House) {
    this.state = state
    this.house = house
    this.proxy = new Proxy(state.stack)
    this.#around = {
      owner: house.owner,
      stack: state.stack,
      directoryOf: (known) => releaseDirectory(house.root, state, known.release.digest!),
      logOf: (instance) => logOf(house.root, state, instance),
      save: () => house.file.save(),
      secret: (name) => house.secrets.get(this.key, name),
      learnSecret: (name, value) => {
        if (house.secrets.learn(this.key, name, value)) house.onSecrets()
      },
      freePort: () => freePort(new Set(this.instances.map(({ record }) => record.port)))
    }
    this.proxy.balancer.setWeights(state.weights)
  }

  get key(): string {
    return keyOf(this.state)
  }

  get logs(): string {
    return logsOf(this.house.root, this.state)
  }

  directoryOf(known: KnownRelease): string {
    return this.#around.directoryOf(known)
  }

  /**
   * After a crash: takes over running processes and continues to stop surplus ones; starts missing ones
   * only if `resume` says so.
   */
  async recover(resume: boolean): Promise<void> {
    const marked = findMarked(this.house.owner).filter(({ leader }) => leader)
    for (const record of this.state.instances) {
      const known = this.state.releases[record.releaseId]!
      const instance = this.#add(record, known)
      const identity =
        record.pid !== null && record.started !== null
          ? { pid: record.pid, started: record.started }
          : marked.find((found) => found.instance === record.id)
      if (identity !== undefined) instance.adopt(identity)
    }
    for (const instance of this.instances) {
      if (instance.record.retiring) void this.drop(instance, this.#never)
    }
    for (const [id, known] of Object.entries(this.state.releases)) {
      const surplus = this.of(id).slice(0, Math.max(0, this.of(id).length - known.wanted))
      for (const instance of surplus) void this.drop(instance, this.#never)
    }
    if (resume) await this.resume()
    // Requests would be refused while no instance is known to be ready; but a hanging one does not hold up the others.
    await Promise.race([
      Promise.all(this.instances.filter(({ alive }) => alive).map(({ judged }) => judged)),
      new Promise((resolve) => setTimeout(resolve, 500))
    ])
    await this.#rebind()
  }

  /** Starts the missing processes: after a crash, a reboot, or when missing secrets have become known. */
  async resume(): Promise<void> {
    for (const instance of this.instances) {
      if (instance.record.retiring || !instance.idle) continue
      instance.record.restarts += 1
      await instance.start().catch(() => instance.startNow())
    }
    for (const [id, known] of Object.entries(this.state.releases)) {
      while (this.of(id).length < known.wanted) await this.launch(known)
    }
    await this.house.file.save().catch(() => undefined)
  }

  /** The secrets that a release refers to and that are unknown here. */
  missing(known: KnownRelease): ReturnType<typeof missingSecrets> {
    return missingSecrets(known.runtime, this.#around.secret)
  }

  requestsOf(releaseId: string): Requests {
    const known = this.#requests.get(releaseId)
    if (known !== undefined) return known
    const made = new Requests()
    this.#requests.set(releaseId, made)
    return made
  }

  /** The instances of a release that should stay. */
  of(releaseId: string): ReadonlyArray<Instance> {
    return this.instances.filter(({ record }) => record.releaseId === releaseId && !record.retiring)
  }

  readyOf(releaseId: string): ReadonlyArray<Instance> {
    return this.of(releaseId).filter(({ ready }) => ready)
  }

  /** Begins one more instance. */
  async launch(known: KnownRelease): Promise<Instance> {
    const record: InstanceRecord = {
      id: `${this.state.stack}-${crypto.randomUUID().slice(0, 8)}`,
      releaseId: known.release.id,
      createdAt: Date.now(),
      port: await this.#around.freePort(),
      pid: null,
      started: null,
      restarts: 0,
      retiring: false
    }
    this.state.instances.push(record)
    const instance = this.#add(record, known)
    await instance.start()
    return instance
  }

  /** Drains, stops and forgets an instance; false if aborted while it was still draining: it keeps serving. */
  async drop(instance: Instance, signal: AbortSignal, hurry = false): Promise<boolean> {
    if (!(await instance.stop(signal, hurry))) return false
    this.proxy.balancer.remove(instance.record.releaseId, instance.upstream)
    this.instances.splice(this.instances.indexOf(instance), 1)
    this.state.instances.splice(this.state.instances.indexOf(instance.record), 1)
    // A full disk must not keep anything running. Operations end with a write that has to succeed.
    await this.house.file.save().catch(() => undefined)
    this.changed()
    return true
  }

  setWeights(weights: Record<string, number>): void {
    this.state.weights = weights
    this.proxy.balancer.setWeights(weights)
  }

  /** Waits until the condition holds, checking whenever an instance changes; false at the timeout. */
  async until(condition: () => boolean, timeout: number, signal: AbortSignal): Promise<boolean> {
    const deadline = Date.now() + timeout
    while (!condition()) {
      const left = deadline - Date.now()
      if (left <= 0 || signal.aborted) return false
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer)
          signal.removeEventListener("abort", done)
          resolve()
        }
        const timer = setTimeout(done, Math.min(left, 1000))
        signal.addEventListener("abort", done)
        this.#waiters.push(done)
      })
    }
    return true
  }

  changed(): void {
    for (const wake of this.#waiters.splice(0)) wake()
  }

  /** Forgets releases beyond the last `keep`, with their files. */
  prune(): void {
    const { candidate, instances, releases, stable, weights } = this.state
    const keep = stable === null ? 0 : releases[stable]!.runtime.keep
    const byAge = Object.values(releases).sort((a, b) => b.usedAt - a.usedAt)
    const needed = (id: string) =>
      id === stable || id === candidate || (weights[id] ?? 0) > 0 || instances.some(({ releaseId }) => releaseId === id)
    byAge.forEach(({ release }, index) => {
      if (index < keep || needed(release.id)) return
      const directory = this.directoryOf(releases[release.id]!)
      delete releases[release.id]
      this.#requests.delete(release.id)
      if (Object.values(releases).some((other) => this.directoryOf(other) === directory)) return
      rmSync(directory, { recursive: true, force: true })
    })
    FailedLogs.prune(this.house.root, this.state, Object.keys(releases))
  }

  /** Stops everything and closes the proxy. */
  async close(options: { readonly signal: AbortSignal; readonly hurry: boolean }): Promise<void> {
    await Promise.all(this.instances.map((instance) => this.drop(instance, options.signal, options.hurry)))
    if (options.signal.aborted) return
    clearTimeout(this.#rebinding)
    if (this.proxy.port !== undefined) await this.proxy.close()
  }

  /** Leaves the processes to the next supervisor. */
  letGo(): void {
    clearTimeout(this.#rebinding)
    for (const instance of this.instances) instance.letGo()
  }

  #add(record: InstanceRecord, known: KnownRelease): Instance {
    const instance = new Instance(record, known, this.#around, this.requestsOf(record.releaseId))
    let upstream = instance.upstream
    this.proxy.balancer.add(record.releaseId, upstream)
    instance.onChange = () => {
      if (instance.upstream !== upstream) {
        this.proxy.balancer.remove(record.releaseId, upstream)
        upstream = instance.upstream
        this.proxy.balancer.add(record.releaseId, upstream)
      }
      this.changed()
    }
    this.instances.push(instance)
    return instance
  }

  /** The public port must keep its number: if another process took it in between, retry until it is free again. */
  async #rebind(): Promise<void> {
    if (this.proxy.port !== undefined || this.state.port === 0 || this.gone) return
    try {
      await this.proxy.listen(this.state.port)
      this.changed()
    } catch {
      this.#rebinding = setTimeout(() => void this.#rebind(), 250)
    }
  }
}
