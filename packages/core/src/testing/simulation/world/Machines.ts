/** The machines of a simulation: processes that run the engine, and the faults that hit them. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { RunnerIdentity } from "../../../engine/lease/RunnerIdentity.ts"
import { Signalbox } from "../../../engine/Signalbox.ts"
import { Providers } from "../../../spi/Providers.ts"
import { layerEncoded } from "../../../store/layerEncoded.ts"
import { makeMemory } from "../../../store/Memory.ts"
import * as CloudOver from "./Cloud.ts"
import { WrappedCommands } from "./WrappedCommands.ts"
import { Effects } from "../invariants/Effects.ts"
import { Log } from "../invariants/Log.ts"
import { Monitor } from "../invariants/Monitor.ts"
import { Network } from "./Network.ts"
import { type Clouds, cloudsOf, type Parts, watched } from "../Parts.ts"
import type { ScheduledFault, Scenario } from "../scenario/Scenario.ts"
import { connect, Database } from "./Database.ts"
import { type Process, World } from "./World.ts"

interface Machine {
  process: Process
  box: Signalbox["Service"] | undefined
  readonly jobs: Set<Job>
  incarnation: number
}

/** A person's request to a process, repeated elsewhere if it is lost. */
interface Job {
  readonly lost: () => void
  interrupt: () => void
}

export class Machines {
  readonly world: World
  readonly monitor: Monitor
  readonly log: Log
  readonly effects: Effects
  readonly commands: WrappedCommands
  readonly clouds: Clouds
  /** Where providers run, and where checks look from. */
  readonly outside: Process
  readonly #scenario: Scenario
  readonly #parts: Parts
  readonly #network: Network
  readonly #database: Database
  readonly #machines: Array<Machine> = []
  readonly #processes = new Map<string, Process>()
  #faults: ReadonlyArray<ScheduledFault>

  constructor(scenario: Scenario, parts: Parts) {
    this.#scenario = scenario
    this.#parts = parts
    this.#faults = scenario.faults
    this.world = new World(scenario.seed, scenario.shuffle)
    this.monitor = new Monitor(this.world)
    this.clouds = cloudsOf(scenario, parts)
    this.outside = this.world.process("outside", -1)
    const stepped = (process: Process) => this.#stepped(process)
    const ofOwner = (owner: string) => this.#processes.get(owner.split("/")[0]!)
    this.log = new Log(this.world, this.monitor, { ofOwner, stepped })
    this.effects = new Effects(this.monitor, this.log, this.clouds.flatMap(watched), stepped)
    this.commands = new WrappedCommands(this.world, this.monitor, this.log)
    this.#network = new Network(this.world, scenario.seed)
    this.#database = new Database(this.world, this.#network, makeMemory())
    for (let slot = 0; slot < scenario.processes; slot++) this.boot(slot)
  }

  /** Starts a process on a machine, replacing the previous one. */
  boot(slot: number): void {
    const machine = this.#machines[slot] ?? { process: this.outside, box: undefined, jobs: new Set(), incarnation: 0 }
    this.#machines[slot] = machine
    machine.incarnation++
    const name = `p${slot}.${machine.incarnation}`
    const process = this.world.process(name, slot)
    this.#processes.set(name, process)
    machine.process = process
    machine.box = undefined
    const network = this.#network
    const providers = new Map(
      this.clouds.map((cloud) => {
        const connected = CloudOver.connect(
          this.world,
          network,
          this.effects,
          this.outside,
          process,
          cloud.provider,
          watched(cloud)[0]
        )
        return [cloud.provider.kind, this.#parts.wrapProvider?.(connected) ?? connected] as const
      })
    )
    const stores = layerEncoded(
      Effect.map(
        connect(this.world, network, this.#database, this.log, process),
        this.#parts.wrapStore ?? ((encoded) => encoded)
      )
    )
    const isDead = (owner: string) => this.#scenario.sameHost && this.#processes.get(owner)?.state === "dead"
    const layer = Signalbox.layer.pipe(
      Layer.provide(stores),
      Layer.provide(Layer.succeed(Providers, providers)),
      Layer.provide(Layer.succeed(RunnerIdentity, { owner: name, isDead }))
    )
    this.world.fork(process, Layer.buildWithScope(layer, Scope.makeUnsafe()), (exit) => {
      if (Exit.isSuccess(exit)) machine.box = Context.get(exit.value, Signalbox)
      else this.monitor.violate("no_defects", `${name} does not start: ${Cause.pretty(exit.cause)}`)
    })
  }

  /** Runs something in a process of this machine; in another one, if it is missing or dies before it is done. */
  ask<A, E>(
    slot: number,
    what: (box: Signalbox["Service"], process: Process) => Effect.Effect<A, E>,
    done: (exit: Exit.Exit<A, E>) => void,
    lost: () => void
  ): void {
    const up = this.#machines.filter(({ box, process }) => box !== undefined && process.state === "running")
    const wanted = this.#machines[slot % this.#machines.length]
    const machine = wanted !== undefined && up.includes(wanted) ? wanted : up[0]
    if (machine?.box === undefined) {
      this.world.after(200, undefined, () => this.ask(slot, what, done, lost))
      return
    }
    const job: Job = { lost, interrupt: () => {} }
    machine.jobs.add(job)
    const { process } = machine
    const { interrupt } = this.world.fork(process, what(machine.box, process), (exit) => {
      machine.jobs.delete(job)
      if (process.state !== "dead") this.world.after(0, undefined, () => done(exit))
    })
    job.interrupt = interrupt
  }

  #stepped(process: Process): void {
    const { steps } = this.monitor
    const due = this.#faults.filter(({ step }) => step <= steps)
    // Removed before the first begins: its action may be a step itself.
    if (due.length > 0) this.#faults = this.#faults.filter(({ step }) => step > steps)
    for (const fault of due) {
      const begin = () => this.#begin(fault, process)
      if (fault.delay === 0) begin()
      else this.world.after(fault.delay, undefined, begin)
    }
    const wrong = this.#parts.check?.({
      now: this.world.now,
      executions: [...this.log.executions.values()].map(({ state }) => state),
      ledger: this.clouds.flatMap((cloud) => cloud.ledger ?? [])
    })
    if (wrong !== undefined) this.monitor.violate("custom", wrong)
  }

  #begin(fault: ScheduledFault, actor: Process): void {
    const machine =
      fault.process === undefined
        ? this.#machines.find(({ process }) => process === actor)
        : this.#machines[fault.process % this.#machines.length]
    if (fault.kind !== "kill" && fault.kind !== "stop" && fault.kind !== "interrupt") {
      this.monitor.say(`~~ ${fault.kind} for ${fault.millis} ms`)
      return this.#network.begin(fault)
    }
    if (machine === undefined || machine.process.state === "dead") return
    this.monitor.say(`~~ ${fault.kind} ${machine.process.name} for ${fault.millis} ms`)
    switch (fault.kind) {
      case "kill":
        this.world.kill(machine.process)
        this.world.after(fault.millis, undefined, () => this.boot(this.#machines.indexOf(machine)))
        this.#lose(machine, 300)
        return
      case "stop": {
        const { process } = machine
        this.world.stop(process)
        this.world.after(fault.millis, undefined, () => this.world.continue(process))
        // Another process takes care of its work meanwhile; it continues when it wakes up.
        for (const job of machine.jobs) this.world.after(800, undefined, job.lost)
        return
      }
      case "interrupt":
        for (const job of machine.jobs) job.interrupt()
    }
  }

  #lose(machine: Machine, millis: number): void {
    const jobs = [...machine.jobs]
    machine.jobs.clear()
    for (const job of jobs) this.world.after(millis, undefined, job.lost)
  }
}
