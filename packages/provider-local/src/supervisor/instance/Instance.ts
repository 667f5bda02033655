/**
 * One process of a release: started, watched, restarted when it dies, stopped with all its descendants.
 */
import { InstanceLog } from "./InstanceLog.ts"
import { masking, missingSecrets } from "../Secrets.ts"
import type { KnownRelease, InstanceRecord } from "../State.ts"
import { environmentOf, type Identity, isAlive, killRest } from "./Processes.ts"
import { HealthCheck } from "./HealthCheck.ts"
import { startProcess } from "./StartedProcess.ts"
import type { Surroundings } from "./Surroundings.ts"
import { terminate } from "./Termination.ts"
import { type Trouble, unready } from "./Trouble.ts"
import { Upstream } from "../proxy/Upstream.ts"
import type { Requests } from "../proxy/Requests.ts"

export type InstanceStatus = "starting" | "ready" | "unhealthy" | "backoff" | "blocked" | "draining" | "stopped"

const adoptedInterval = 200
const backoffMax = 30_000
const steadyAfter = 60_000
const unwritten: Trouble = { reason: "its start could not be written down" }

export class Instance {
  readonly record: InstanceRecord
  readonly release: KnownRelease
  readonly log: InstanceLog
  upstream: Upstream
  readonly #around: Surroundings
  readonly #requests: Requests
  #identity: Identity | undefined
  readonly #health: HealthCheck
  #everReady = false
  #spawnedAt = 0
  #quick = 0
  #stopping = false
  #launching = false
  /** Not started, because a secret is missing. */
  #blocked = false
  #exited: Array<() => void> = []
  #waiting: NodeJS.Timeout | undefined
  /** Called on every change of `status`. */
  onChange: () => void = () => undefined
  /** Called on an unexpected exit; true lets it restart. */
  onCrash: (trouble: Trouble) => boolean = () => true

  constructor(record: InstanceRecord, release: KnownRelease, around: Surroundings, requests: Requests) {
    this.record = record
    this.release = release
    this.#around = around
    this.#requests = requests
    this.log = new InstanceLog(around.logOf(record.id), (text) => this.#redacted(text))
    this.upstream = this.#connect()
    this.#health = new HealthCheck({
      readiness: release.runtime.readiness,
      upstream: () => this.upstream,
      isRunning: () => !this.#stopping && this.#identity !== undefined,
      wasReady: () => this.#everReady,
      onHealth: (healthy) => {
        if (!healthy || !this.record.retiring) this.#setReady(healthy)
      }
    })
  }

  /** Resolves with the first readiness check. */
  get judged(): Promise<void> {
    return this.#health.first
  }

  get status(): InstanceStatus {
    if (this.#stopping && this.#identity === undefined) return "stopped"
    if (this.record.retiring) return "draining"
    if (this.#identity === undefined) {
      return this.#blocked ? "blocked" : this.#waiting === undefined ? "starting" : "backoff"
    }
    return this.upstream.ready ? "ready" : this.#everReady ? "unhealthy" : "starting"
  }

  get ready(): boolean {
    return this.upstream.ready
  }

  get alive(): boolean {
    return this.#identity !== undefined && isAlive(this.#identity)
  }

  /** Not running, and will not restart by itself. */
  get idle(): boolean {
    return this.#identity === undefined && this.#waiting === undefined && !this.#launching && !this.#stopping
  }

  /** Why it is not ready. */
  get unready(): Trouble {
    return unready({
      runtime: this.release.runtime,
      instance: this.record.id,
      port: this.record.port,
      identity: this.#identity,
      answer: this.#health.lastAnswer,
      redact: (text) => this.#redacted(text)
    })
  }

  #redacted(text: string): string {
    const secrets = Object.values(this.release.runtime.env).flatMap((value) =>
      typeof value === "string" ? [] : [this.#around.secret(value.secret) ?? ""]
    )
    return masking(secrets)(text)
  }

  /**
   * Starts it. The intent is on disk before, its pid after: whatever happens in between, its mark makes it findable.
   */
  async start(): Promise<void> {
    this.#launching = true
    try {
      await this.#start()
    } finally {
      this.#launching = false
    }
  }

  async #start(): Promise<void> {
    this.record.pid = null
    this.record.started = null
    await this.#around.save()
    if (this.#stopping) return
    const missing = missingSecrets(this.release.runtime, this.#around.secret)
    this.#blocked = missing.length > 0
    if (this.#blocked) {
      this.onCrash({ reason: `it needs ${missing.map(({ variable }) => variable).join(", ")}, which is not known` })
      return this.onChange()
    }
    this.#spawnedAt = Date.now()
    await startProcess({
      record: this.record,
      release: this.release,
      around: this.#around,
      log: this.log,
      isWanted: () => !this.#stopping,
      onStart: (identity) => {
        this.#identity = identity
        this.record.pid = identity.pid
        this.record.started = identity.started
        this.#health.start()
      },
      onEnd: (trouble) => this.#gone(trouble)
    })
    if (this.#identity === undefined) return
    // It runs, whether or not that could be recorded: its mark shows it, and so will the next write.
    await this.#around.save().catch(() => undefined)
  }

  /** Takes over a process that an earlier supervisor started; false if it is gone. */
  adopt(identity: Identity): boolean {
    if (!isAlive(identity)) return false
    this.#identity = identity
    this.record.pid = identity.pid
    this.record.started = identity.started
    const variables = environmentOf(identity)
    for (const [name, value] of Object.entries(this.release.runtime.env)) {
      const known = variables.get(name)
      if (typeof value !== "string" && known !== undefined) this.#around.learnSecret(value.secret, known)
    }
    const poll = setInterval(() => {
      if (isAlive(identity)) return
      clearInterval(poll)
      this.#gone({ reason: "its process is gone" })
    }, adoptedInterval)
    this.log.watch()
    this.#health.start()
    return true
  }

  /** Restarts it without further waiting. */
  startNow(): void {
    if (this.#identity !== undefined || this.#launching || this.#stopping) return
    clearTimeout(this.#waiting)
    this.#waiting = undefined
    void this.start().catch(() => this.#gone(unwritten))
  }

  /**
   * Lets requests in flight finish (at most `drain`), then stops it: SIGTERM, and SIGKILL after `grace`. If aborted
   * while draining, it stays as it was, serving: false.
   */
  async stop(signal: AbortSignal, hurry = false): Promise<boolean> {
    this.record.retiring = true
    this.#setReady(false)
    await this.#around.save().catch(() => undefined)
    if (!hurry) {
      await this.upstream.idle(this.release.runtime.drain, signal)
      if (signal.aborted && !this.#stopping) {
        this.record.retiring = false
        this.#setReady(this.#everReady && this.#health.healthy)
        await this.#around.save().catch(() => undefined)
        return false
      }
    }
    this.#stopping = true
    this.#health.stop()
    clearTimeout(this.#waiting)
    await terminate(
      this.#identity,
      { owner: this.#around.owner, instance: this.record.id },
      this.release.runtime.grace,
      (timeout) => this.#exit(timeout)
    )
    this.upstream.close()
    this.log.delete()
    return true
  }

  /** Leaves the process alone from now on. */
  letGo(): void {
    this.#stopping = true
    this.log.ended()
    this.#health.stop()
    clearTimeout(this.#waiting)
  }

  #connect(): Upstream {
    const upstream = new Upstream(this.record.releaseId, this.record.port, this.#requests)
    upstream.onRefused = () => {
      this.#setReady(false)
      this.#health.now()
    }
    return upstream
  }

  #setReady(ready: boolean): void {
    if (this.upstream.ready === ready) return
    this.upstream.ready = ready
    if (ready) this.#everReady = true
    this.onChange()
  }

  #exit(timeout: number): Promise<void> {
    const identity = this.#identity
    if (identity === undefined || !isAlive(identity)) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(done, timeout)
      this.#exited.push(done)
    })
  }

  #gone(trouble: Trouble): void {
    const identity = this.#identity
    this.#identity = undefined
    this.log.ended()
    this.#health.stop()
    this.#setReady(false)
    if (identity !== undefined) killRest(identity.pid)
    for (const resume of this.#exited.splice(0)) resume()
    if (this.#stopping) return
    const retry = this.onCrash(trouble) && !this.record.retiring
    this.record.pid = null
    this.record.started = null
    this.record.restarts += 1
    this.#quick = Date.now() - this.#spawnedAt > steadyAfter ? 0 : this.#quick + 1
    if (!retry) {
      this.onChange()
      return
    }
    const delay = Math.min(backoffMax, 100 * 2 ** Math.min(this.#quick - 1, 10))
    this.#waiting = setTimeout(
      () => {
        this.#waiting = undefined
        void this.#again()
      },
      this.#quick <= 1 && this.#everReady ? 0 : delay
    )
    this.onChange()
  }

  async #again(): Promise<void> {
    try {
      // Its port may be the reason why it died.
      if (!this.#everReady) {
        this.record.port = await this.#around.freePort()
        this.upstream.close()
        this.upstream = this.#connect()
        this.onChange()
      }
      await this.start()
    } catch {
      this.#gone(unwritten)
    }
  }
}
