/** Carries out one scenario: processes, requests, operators and faults, until every execution has ended. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { OperatorCommand } from "../domain/Event.ts"
import { type ExecutionState, isFinished } from "../domain/Execution.ts"
import { CorrelationId, DeploymentId, type EnvironmentName, type StackName } from "../domain/Ids.ts"
import { check } from "../engine/Configuration.ts"
import { Refused } from "../engine/Refused.ts"
import { RunnerIdentity } from "../engine/RunnerIdentity.ts"
import { type Request, Signalbox } from "../engine/Signalbox.ts"
import type { Provider } from "../spi/Provider.ts"
import { Providers } from "../spi/Providers.ts"
import type { Encoded } from "../store/Encoded.ts"
import { layerEncoded } from "../store/layerEncoded.ts"
import { makeMemory } from "../store/Memory.ts"
import * as SimulatedProvider from "./SimulatedProvider.ts"
import { hash } from "./SimulationChance.ts"
import * as CloudOver from "./SimulationCloud.ts"
import { type Cloud, Effects } from "./SimulationEffects.ts"
import * as Ending from "./SimulationEnding.ts"
import { Log } from "./SimulationLog.ts"
import { Monitor, type Violation } from "./SimulationMonitor.ts"
import { Network } from "./SimulationNetwork.ts"
import type { Fault, Scenario, ScenarioRequest } from "./SimulationScenario.ts"
import { connect, Database } from "./SimulationStores.ts"
import { type Process, World } from "./SimulationWorld.ts"

/**
 * What the processes of a simulation are made of, where it is not what they are made of anyway.
 *
 * *Details*: made anew for each schedule, as nothing may outlive one. `providers` replaces the simulated clouds; those
 * that tell of their effects (`ledger`, `inspect`, as a `SimulatedProvider` does) are watched closer. `wrapProvider` and
 * `wrapStore` stand between a process and its providers and stores. `check` is asked after every step; what it returns is
 * what is wrong.
 *
 * @since 0.1.0
 */
export interface Parts {
  readonly providers?: (
    scenario: Scenario
  ) => ReadonlyArray<{ readonly provider: Provider } & Partial<SimulatedProvider.SimulatedProvider>>
  readonly wrapProvider?: (provider: Provider) => Provider
  readonly wrapStore?: (encoded: Encoded) => Encoded
  readonly check?: (view: View) => string | undefined
}

/** What a check of one's own may look at. @since 0.1.0 */
export interface View {
  readonly now: number
  readonly executions: ReadonlyArray<ExecutionState>
  readonly ledger: ReadonlyArray<SimulatedProvider.LedgerEntry>
}

/** How a schedule came out. @since 0.1.0 */
export interface Outcome {
  readonly violation: Violation | undefined
  readonly trace: ReadonlyArray<string>
  readonly steps: number
  /** Tasks and timers that ran. */
  readonly turns: number
  /** Milliseconds of virtual time. */
  readonly elapsed: number
  /** The end of each request, and of what is there. */
  readonly end: Ending.End
  /** Whether its end was compared with that of its uninterrupted twin. */
  readonly twin?: boolean
}

interface Machine {
  process: Process
  box: Signalbox["Service"] | undefined
  readonly jobs: Set<Job>
  incarnation: number
}

/** Something that a person wants of a process, again elsewhere where it is lost. */
interface Job {
  readonly lost: () => void
  interrupt: () => void
}

const deploymentId = DeploymentId.make("DTEST01")
const longest = 6 * 3_600_000
const mostTurns = 600_000

export class Schedule {
  readonly scenario: Scenario
  readonly #parts: Parts
  readonly #world: World
  readonly #network: Network
  readonly #monitor: Monitor
  readonly #log: Log
  readonly #effects: Effects
  readonly #database: Database
  readonly #outside: Process
  readonly #clouds: Clouds
  readonly #manifest: Request["manifest"]
  readonly #machines: Array<Machine> = []
  readonly #faults: Array<Fault>
  readonly #ends = new Map<string, "refused" | "ended">()
  readonly #looks = new Map<string, number>()

  constructor(scenario: Scenario, parts: Parts = {}) {
    this.scenario = scenario
    this.#parts = parts
    this.#world = new World(scenario.seed, scenario.shuffle)
    this.#network = new Network(this.#world, scenario.seed)
    this.#monitor = new Monitor(this.#world)
    this.#log = new Log(this.#world, this.#monitor, {
      ofOwner: (owner) => this.#processes.get(owner.split("/")[0]!),
      stepped: (process) => this.#stepped(process)
    })
    this.#database = new Database(this.#world, this.#network, makeMemory())
    this.#outside = this.#world.process("outside", -1)
    this.#clouds = cloudsOf(scenario, parts)
    this.#manifest = Result.getOrThrow(check(scenario.manifest, byKind(this.#clouds)))
    this.#effects = new Effects(this.#monitor, this.#log, this.#clouds.flatMap(watched), (process) =>
      this.#stepped(process)
    )
    this.#faults = [...scenario.faults]
  }

  readonly #processes = new Map<string, Process>()

  run(): Outcome {
    const { scenario } = this
    for (let slot = 0; slot < scenario.processes; slot++) this.#boot(slot)
    this.#init()
    const world = this.#world
    while (this.#monitor.violation === undefined && this.#ends.size < scenario.requests.length) {
      if (!world.turn()) {
        this.#monitor.violate("everything_ends", "nothing is left that could happen")
      }
      this.#effects.look()
      if (world.now > longest || world.turns > mostTurns) {
        this.#monitor.violate("everything_ends", `not all executions have ended after ${world.now / 1_000} s`)
      }
    }
    const clouds = this.#clouds.flatMap(watched)
    const end = Ending.read(this.#log, clouds, this.#outside, this.#effects.overtaken, this.#ends)
    if (this.#monitor.violation === undefined) Ending.check(this.#monitor, this.#log, end)
    return {
      violation: this.#monitor.violation,
      trace: this.#monitor.trace,
      steps: this.#monitor.steps,
      turns: world.turns,
      elapsed: world.now,
      end
    }
  }

  // Machines and processes

  #boot(slot: number): void {
    const machine = this.#machines[slot] ?? { process: this.#outside, box: undefined, jobs: new Set(), incarnation: 0 }
    this.#machines[slot] = machine
    machine.incarnation++
    const name = `p${slot}.${machine.incarnation}`
    const process = this.#world.process(name, slot)
    this.#processes.set(name, process)
    machine.process = process
    machine.box = undefined
    const network = this.#network
    const providers = new Map(
      this.#clouds.map((cloud) => {
        const connected = CloudOver.connect(
          this.#world,
          network,
          this.#effects,
          this.#outside,
          process,
          cloud.provider,
          watched(cloud)[0]
        )
        return [cloud.provider.kind, this.#parts.wrapProvider?.(connected) ?? connected] as const
      })
    )
    const stores = layerEncoded(
      Effect.map(
        connect(this.#world, network, this.#database, this.#log, process),
        this.#parts.wrapStore ?? ((encoded) => encoded)
      )
    )
    const isDead = (owner: string) => this.scenario.sameHost && this.#processes.get(owner)?.state === "dead"
    const layer = Signalbox.layer.pipe(
      Layer.provide(stores),
      Layer.provide(Layer.succeed(Providers, providers)),
      Layer.provide(Layer.succeed(RunnerIdentity, { owner: name, isDead }))
    )
    this.#world.fork(process, Layer.buildWithScope(layer, Scope.makeUnsafe()), (exit) => {
      if (Exit.isSuccess(exit)) machine.box = Context.get(exit.value, Signalbox)
      else this.#monitor.violate("no_defects", `${name} does not start: ${Cause.pretty(exit.cause)}`)
    })
  }

  /** Has a process of this machine do something; another one, if it is not there or goes away before it is done. */
  #ask<A, E>(
    slot: number,
    what: (box: Signalbox["Service"]) => Effect.Effect<A, E>,
    done: (exit: Exit.Exit<A, E>) => void,
    lost: () => void
  ): void {
    const up = this.#machines.filter(({ box, process }) => box !== undefined && process.state === "running")
    const wanted = this.#machines[slot % this.#machines.length]
    const machine = wanted !== undefined && up.includes(wanted) ? wanted : up[0]
    if (machine?.box === undefined) {
      this.#world.after(200, undefined, () => this.#ask(slot, what, done, lost))
      return
    }
    const job: Job = { lost, interrupt: () => {} }
    machine.jobs.add(job)
    const { process } = machine
    const { interrupt } = this.#world.fork(process, what(machine.box), (exit) => {
      machine.jobs.delete(job)
      if (process.state !== "dead") this.#world.after(0, undefined, () => done(exit))
    })
    job.interrupt = interrupt
  }

  // Faults

  #stepped(process: Process): void {
    const { steps } = this.#monitor
    for (let index = 0; index < this.#faults.length; index++) {
      const fault = this.#faults[index]!
      if (fault.step > steps) continue
      this.#faults.splice(index--, 1)
      const begin = () => this.#begin(fault, process)
      if (fault.delay === 0) begin()
      else this.#world.after(fault.delay, undefined, begin)
    }
    const wrong = this.#parts.check?.({
      now: this.#world.now,
      executions: [...this.#log.executions.values()].map(({ state }) => state),
      ledger: this.#clouds.flatMap((cloud) => cloud.ledger ?? [])
    })
    if (wrong !== undefined) this.#monitor.violate("custom", wrong)
  }

  #begin(fault: Fault, actor: Process): void {
    const machine =
      fault.process === undefined
        ? this.#machines.find(({ process }) => process === actor)
        : this.#machines[fault.process % this.#machines.length]
    if (fault.kind !== "kill" && fault.kind !== "stop" && fault.kind !== "interrupt") {
      this.#monitor.say(`~~ ${fault.kind} for ${fault.millis} ms`)
      return this.#network.begin(fault)
    }
    if (machine === undefined || machine.process.state === "dead") return
    this.#monitor.say(`~~ ${fault.kind} ${machine.process.name} for ${fault.millis} ms`)
    switch (fault.kind) {
      case "kill":
        this.#world.kill(machine.process)
        this.#world.after(fault.millis, undefined, () => this.#boot(this.#machines.indexOf(machine)))
        this.#lose(machine, 300)
        return
      case "stop": {
        const { process } = machine
        this.#world.stop(process)
        this.#world.after(fault.millis, undefined, () => this.#world.continue(process))
        // Somebody else looks after its work meanwhile; it goes on itself when it wakes.
        for (const job of machine.jobs) this.#world.after(800, undefined, job.lost)
        return
      }
      case "interrupt":
        for (const job of machine.jobs) job.interrupt()
    }
  }

  #lose(machine: Machine, millis: number): void {
    const jobs = [...machine.jobs]
    machine.jobs.clear()
    for (const job of jobs) this.#world.after(millis, undefined, job.lost)
  }

  // People

  #init(): void {
    this.#ask(
      0,
      (box) => box.init({ manifest: this.#manifest, by: "simulation", deploymentId }),
      (exit) => {
        // Where the answer was lost, the deployment is there already.
        if (Exit.isFailure(exit) && Cause.findErrorOption(exit.cause)._tag === "None") {
          return this.#monitor.violate("no_defects", `init: ${Cause.pretty(exit.cause)}`)
        }
        if (this.#log.deployment === undefined) return void this.#world.after(300, undefined, () => this.#init())
        const { commands, oneByOne, requests } = this.scenario
        if (oneByOne) this.#submit(0)
        else
          requests.forEach((request, index) => {
            this.#world.after(request.at, undefined, () => this.#submit(index))
          })
        for (const { at, command, process, request, stack } of commands) {
          this.#world.after(at, undefined, () =>
            this.#command(process, request, command, stack as StackName | undefined)
          )
        }
        this.#look()
      },
      () => this.#init()
    )
  }

  #submit(index: number, tries = 0): void {
    const request = this.scenario.requests[index]
    if (request === undefined || this.#ends.has(request.id)) return
    const again = () => this.#submit(index, tries + 1)
    this.#ask(
      request.process,
      (box) => box.submit(this.#request(request)),
      (exit) => {
        if (Exit.isSuccess(exit)) {
          this.#carry(index, request.process)
          if (request.also !== undefined) this.#carry(index, request.also)
          return
        }
        const error = Cause.findErrorOption(exit.cause)
        if (error._tag === "None") {
          if (Cause.hasInterruptsOnly(exit.cause)) return void this.#world.after(500, undefined, again)
          return this.#monitor.violate("no_defects", `submit ${request.id}: ${Cause.pretty(exit.cause)}`)
        }
        const blocked = error.value instanceof Refused && error.value.kind === "blocked"
        // Who asks for one thing after the other waits for the lock that a dead process left.
        const waits = blocked && tries < (this.scenario.oneByOne ? 600 : hash(request.id) % 40)
        if (!(error.value instanceof Refused) || waits) return void this.#world.after(500, undefined, again)
        this.#monitor.say(`-- ${request.id} is refused: ${error.value.code}`)
        this.#end(index, "refused")
      },
      again
    )
  }

  /** Sees to it that the execution is run to its end. */
  #carry(index: number, process: number): void {
    const { id } = this.scenario.requests[index]!
    const again = (millis: number) => void this.#world.after(millis, undefined, () => this.#carry(index, process + 1))
    if (this.#ends.has(id)) return
    this.#ask(
      process,
      (box) => box.run(CorrelationId.make(id)),
      (exit) => {
        if (Exit.isSuccess(exit)) {
          this.#monitor.hold(isFinished(exit.value), "everything_ends", () => `run ${id} returned before its end`)
          return this.#end(index, "ended")
        }
        const error = Cause.findErrorOption(exit.cause)
        if (error._tag === "None" && !Cause.hasInterruptsOnly(exit.cause)) {
          return this.#monitor.violate("no_defects", `run ${id}: ${Cause.pretty(exit.cause)}`)
        }
        again(error._tag === "None" ? 2_000 : 700)
      },
      () => again(0)
    )
  }

  #end(index: number, how: "refused" | "ended"): void {
    const { id } = this.scenario.requests[index]!
    if (this.#ends.has(id)) return
    this.#ends.set(id, how)
    if (this.scenario.oneByOne) this.#world.after(300, undefined, () => this.#submit(index + 1))
  }

  #request(request: ScenarioRequest): Request {
    return {
      kind: request.kind,
      correlationId: CorrelationId.make(request.id),
      deploymentId,
      environment: request.environment as EnvironmentName,
      manifest: this.#manifest,
      by: "simulation",
      ...(request.version === undefined ? {} : { version: request.version }),
      ...(request.strategy === undefined ? {} : { strategy: request.strategy }),
      ...(request.stack === undefined ? {} : { stacks: [request.stack as StackName] })
    }
  }

  #command(process: number, id: string, command: OperatorCommand, stack?: StackName): void {
    if (!this.#log.executions.has(id)) return
    this.#ask(
      process,
      (box) =>
        box.command(CorrelationId.make(id), { command, by: "somebody", ...(stack === undefined ? {} : { stack }) }),
      (exit) => {
        if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
        const error = Cause.findErrorOption(exit.cause)
        if (error._tag === "None") {
          this.#monitor.violate("no_defects", `${command} ${id}: ${Cause.pretty(exit.cause)}`)
        }
      },
      () => {}
    )
  }

  /** Somebody looks by now and then: answers what is asked, and lets go on what was paused and forgotten. */
  #look(): void {
    this.#world.after(10_000, undefined, () => this.#look())
    for (const [id, { state }] of this.#log.executions) {
      if (isFinished(state)) continue
      const looks = (this.#looks.get(id) ?? 0) + 1
      this.#looks.set(id, looks)
      const [question] = state.questions
      const process = looks % this.#machines.length
      if (question === undefined) {
        if (state.status === "paused" && looks % 3 === 0) this.#command(process, id, "resume")
      } else if (this.scenario.person !== "absent" || looks > 30) {
        this.#command(process, id, this.#answer(looks), question.stack)
      }
    }
  }

  #answer(looks: number): OperatorCommand {
    switch (this.scenario.person) {
      case "aborts":
      case "absent":
        return "abort"
      case "retries":
        return looks < 6 ? "retry" : "approve"
      case "promotes":
        return "promote"
      default:
        return "approve"
    }
  }
}

const cloudOf = (scenario: Scenario) => (cloud: Scenario["clouds"][number]) => {
  const simulated = SimulatedProvider.make({
    kind: cloud.kind,
    instances: cloud.instances,
    requestsPerSecond: cloud.requestsPerSecond,
    ...(cloud.shape === "full" ? {} : { capabilities: SimulatedProvider.shapes[cloud.shape] })
  })
  for (const { script, stack, version } of scenario.scripts) simulated.script(stack, version, script)
  return simulated
}

type Clouds = ReadonlyArray<{ readonly provider: Provider } & Partial<SimulatedProvider.SimulatedProvider>>

const cloudsOf = (scenario: Scenario, parts: Parts): Clouds =>
  parts.providers?.(scenario) ?? scenario.clouds.map(cloudOf(scenario))

const byKind = (clouds: Clouds): ReadonlyMap<string, Provider> =>
  new Map(clouds.map(({ provider }) => [provider.kind, provider]))

/** The providers that a scenario is carried out with. */
export const providersOf = (scenario: Scenario, parts: Parts): ReadonlyMap<string, Provider> =>
  byKind(cloudsOf(scenario, parts))

const watched = (cloud: Partial<SimulatedProvider.SimulatedProvider>): ReadonlyArray<Cloud> =>
  cloud.ledger === undefined || cloud.inspect === undefined ? [] : [{ ledger: cloud.ledger, inspect: cloud.inspect }]
