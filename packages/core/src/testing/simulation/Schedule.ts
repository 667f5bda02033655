/** Runs one scenario: people's requests to the machines, until every execution has ended. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type { OperatorCommand } from "../../domain/Event.ts"
import { lockOn } from "../../domain/Environment.ts"
import { isFinished } from "../../domain/Execution.ts"
import { errorInfo } from "../../domain/errors/index.ts"
import { CorrelationId, DeploymentId, type EnvironmentName, type StackName } from "../../domain/Ids.ts"
import type { ReportedOutcome } from "../../engine/admission/ReportedOutcome.ts"
import { check } from "../../config/Configuration.ts"
import { Rejected } from "../../api/Rejected.ts"
import type { Request } from "../../api/Request.ts"
import { hash } from "./world/Chance.ts"
import * as Ending from "./invariants/End.ts"
import { Machines } from "./world/Machines.ts"
import type { Violation } from "./invariants/Monitor.ts"
import { byKind, type Parts, watched } from "./Parts.ts"
import type { Scenario, ScenarioDecision, ScenarioRequest } from "./scenario/Scenario.ts"

/** The result of a schedule. */
export interface ScheduleOutcome {
  readonly violation: Violation | undefined
  readonly trace: ReadonlyArray<string>
  readonly steps: number
  /** Executed tasks and timers. */
  readonly turns: number
  /** Milliseconds of virtual time. */
  readonly elapsed: number
  /** The end of each request and of each environment. */
  readonly end: Ending.End
  /** Whether its end was compared with its uninterrupted twin's. */
  readonly twin?: boolean
}

const deploymentId = DeploymentId.make("DTEST01")
const longest = 6 * 3_600_000
const mostTurns = 600_000

export class Schedule {
  readonly scenario: Scenario
  readonly #machines: Machines
  readonly #manifest: Request["manifest"]
  readonly #ends = new Map<string, "refused" | "ended" | "waits">()
  readonly #looks = new Map<string, number>()

  constructor(scenario: Scenario, parts: Parts = {}) {
    this.scenario = scenario
    this.#machines = new Machines(scenario, parts)
    this.#manifest = Result.getOrThrow(check(scenario.manifest, byKind(this.#machines.clouds)))
  }

  run(): ScheduleOutcome {
    const { clouds, effects, log, monitor, outside, world } = this.#machines
    this.#init()
    while (monitor.violation === undefined && this.#ends.size < this.scenario.requests.length) {
      if (!world.turn()) monitor.violate("everything_ends", "nothing is left that could happen")
      effects.look()
      if (world.now > longest || world.turns > mostTurns) {
        monitor.violate("everything_ends", `not all executions have ended after ${world.now / 1_000} s`)
      }
    }
    const end = Ending.read(log, clouds.flatMap(watched), outside, effects.overtaken, this.#ends)
    if (monitor.violation === undefined) Ending.check(monitor, log, end, this.#ends)
    return {
      violation: monitor.violation,
      trace: monitor.trace,
      steps: monitor.steps,
      turns: world.turns,
      elapsed: world.now,
      end
    }
  }

  #init(): void {
    this.#machines.ask(
      0,
      (box) => box.deployments.init({ manifest: this.#manifest, by: "simulation", deploymentId }),
      (exit) => {
        // If the answer was lost, the deployment exists already.
        if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) {
          return this.#machines.monitor.violate("no_defects", `init: ${Cause.pretty(exit.cause)}`)
        }
        if (this.#machines.log.deployment === undefined)
          return void this.#machines.world.after(300, undefined, () => this.#init())
        const { commands, decisions = [], oneByOne, requests } = this.scenario
        if (oneByOne) this.#submit(0)
        else
          requests.forEach((request, index) => {
            this.#machines.world.after(request.at, undefined, () => this.#submit(index))
          })
        for (const { at, command, process, request, stack } of commands) {
          this.#machines.world.after(at, undefined, () =>
            this.#command(process, request, command, stack as StackName | undefined)
          )
        }
        for (const decision of decisions) {
          this.#machines.world.after(decision.at, undefined, () => this.#decide(decision))
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
    this.#machines.ask(
      request.process,
      (box) => box.executions.submit(this.#request(request)),
      (exit) => {
        if (Exit.isSuccess(exit)) {
          this.#machines.log.queues.tookPlace(request.id)
          if (request.reports !== undefined) return this.#wait(index, request.process)
          this.#carry(index, request.process)
          if (request.also !== undefined) this.#carry(index, request.also)
          return
        }
        const error = Cause.findErrorOption(exit.cause)
        if (error._tag === "None") {
          if (Cause.hasInterruptsOnly(exit.cause)) return void this.#machines.world.after(500, undefined, again)
          return this.#machines.monitor.violate("no_defects", `submit ${request.id}: ${Cause.pretty(exit.cause)}`)
        }
        const blocked = error.value instanceof Rejected && error.value.kind === "blocked"
        // A sequential requester waits for the lease that a dead process left.
        const waits = blocked && tries < (this.scenario.oneByOne ? 600 : hash(request.id) % 40)
        if (!(error.value instanceof Rejected) || waits) return void this.#machines.world.after(500, undefined, again)
        this.#machines.monitor.say(`-- ${request.id} is refused: ${error.value.code}`)
        this.#end(index, "refused")
      },
      again
    )
  }

  /** Waits for the admission of a registered request, performs it, and reports the outcome. */
  #wait(index: number, process: number): void {
    const { id, lasts = 0, reports } = this.scenario.requests[index]!
    const { world } = this.#machines
    if (this.#ends.has(id)) return
    const again = (millis: number) => void world.after(millis, undefined, () => this.#wait(index, process + 1))
    this.#machines.ask(
      process,
      (box) => box.coordination.waitForAdmission(CorrelationId.make(id), { hold: Duration.seconds(20) }),
      (exit) => {
        if (Exit.isSuccess(exit)) {
          return void world.after(lasts, undefined, () => this.#cleanUp(index, process, reports ?? "cancelled"))
        }
        if (this.#isDefect(`wait for ${id}`, exit)) return
        again(700)
      },
      () => again(0)
    )
  }

  #cleanUp(index: number, process: number, status: ReportedOutcome): void {
    const { id } = this.scenario.requests[index]!
    if (this.#ends.has(id)) return
    const again = (millis: number) =>
      void this.#machines.world.after(millis, undefined, () => this.#cleanUp(index, process + 1, status))
    this.#machines.ask(
      process,
      (box) => box.coordination.cleanup(CorrelationId.make(id), { status, by: "ada" }),
      (exit) => {
        if (Exit.isFailure(exit)) return this.#isDefect(`clean up ${id}`, exit) ? undefined : again(700)
        const state = this.#machines.log.executions.get(id)?.state
        if (state !== undefined && isFinished(state)) this.#end(index, "ended")
        else again(2_000)
      },
      () => again(0)
    )
  }

  /** Reports an execution that ended neither successfully, nor with a reported error, nor by interruption. */
  #isDefect<A, E>(what: string, exit: Exit.Failure<A, E>): boolean {
    const known = Cause.findErrorOption(exit.cause)._tag === "Some" || Cause.hasInterruptsOnly(exit.cause)
    if (!known) this.#machines.monitor.violate("no_defects", `${what}: ${Cause.pretty(exit.cause)}`)
    return !known
  }

  /** Ensures that the execution is run to its end. */
  #carry(index: number, process: number): void {
    const { code = 0, id, kind, lasts = 0 } = this.scenario.requests[index]!
    const again = (millis: number) =>
      void this.#machines.world.after(millis, undefined, () => this.#carry(index, process + 1))
    if (this.#ends.has(id)) return
    this.#machines.ask(
      process,
      (box, process) =>
        kind === "run"
          ? box.executions.run(CorrelationId.make(id), this.#machines.commands.command(process, lasts, code))
          : box.executions.run(CorrelationId.make(id)),
      (exit) => {
        if (Exit.isSuccess(exit)) {
          this.#machines.monitor.hold(
            isFinished(exit.value),
            "everything_ends",
            () => `run ${id} returned before its end`
          )
          return this.#end(index, "ended")
        }
        const error = Cause.findErrorOption(exit.cause)
        if (error._tag === "None" && !Cause.hasInterruptsOnly(exit.cause)) {
          return this.#machines.monitor.violate("no_defects", `run ${id}: ${Cause.pretty(exit.cause)}`)
        }
        again(error._tag === "None" ? 2_000 : 700)
      },
      () => again(0)
    )
  }

  #end(index: number, how: "refused" | "ended" | "waits"): void {
    const { id } = this.scenario.requests[index]!
    if (this.#ends.has(id)) return
    this.#ends.set(id, how)
    if (this.scenario.oneByOne) this.#machines.world.after(300, undefined, () => this.#submit(index + 1))
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
      ...(request.queue === undefined ? {} : { queue: request.queue }),
      ...(request.override === undefined ? {} : { override: request.override }),
      ...(request.stack === undefined ? {} : { stacks: [request.stack as StackName] })
    }
  }

  #command(process: number, id: string, command: OperatorCommand, stack?: StackName): void {
    if (!this.#machines.log.executions.has(id)) return
    this.#machines.ask(
      process,
      (box) =>
        box.executions.command(CorrelationId.make(id), {
          command,
          by: "ada",
          ...(stack === undefined ? {} : { stack })
        }),
      (exit) => {
        if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
        const error = Cause.findErrorOption(exit.cause)
        if (error._tag === "None") {
          this.#machines.monitor.violate("no_defects", `${command} ${id}: ${Cause.pretty(exit.cause)}`)
        }
      },
      () => {}
    )
  }

  #decide(decision: ScenarioDecision, tries = 0): void {
    const { world } = this.#machines
    const again = () =>
      tries > 20 ? undefined : void world.after(1_000, undefined, () => this.#decide(decision, tries + 1))
    const by = "ada"
    const reason = "as it was decided"
    this.#machines.ask<unknown, unknown>(
      decision.process,
      (box) => {
        switch (decision.decides) {
          case "withdraw": {
            const id = CorrelationId.make(decision.request)
            return box.executions.withdraw(id, errorInfo("withdrawn", { by }, { detail: reason }))
          }
          case "hold": {
            const { millis } = decision
            const environment = decision.environment as EnvironmentName
            const until = millis === undefined ? {} : { until: world.now + millis }
            return box.coordination.decide(deploymentId, {
              _tag: "EnvironmentLocked",
              environment,
              reason,
              by,
              ...until
            })
          }
          case "release": {
            const environment = decision.environment as EnvironmentName
            return box.coordination.decide(deploymentId, { _tag: "EnvironmentUnlocked", environment, reason, by })
          }
          default: {
            const _tag = decision.decides === "veto" ? "VersionVetoed" : "VetoLifted"
            return box.coordination.decide(deploymentId, {
              _tag,
              version: decision.version,
              environment: null,
              reason,
              by
            })
          }
        }
      },
      (exit) => {
        if (Exit.isSuccess(exit) || this.#isDefect(decision.decides, exit)) return
        const error = Cause.findErrorOption(exit.cause)
        if (error._tag === "Some" && !(error.value instanceof Rejected)) again()
      },
      again
    )
  }

  /** A person looks now and then: answers open questions, and resumes paused and forgotten executions. */
  #look(): void {
    this.#machines.world.after(10_000, undefined, () => this.#look())
    this.#leaveWaiting()
    for (const [id, { state }] of this.#machines.log.executions) {
      if (isFinished(state)) continue
      const looks = (this.#looks.get(id) ?? 0) + 1
      this.#looks.set(id, looks)
      const [question] = state.questions
      const process = looks % this.scenario.processes
      if (question === undefined) {
        if (state.status === "paused" && looks % 3 === 0) this.#command(process, id, "resume")
      } else if (this.scenario.person !== "absent" || looks > 30) {
        this.#command(process, id, this.#answer(looks), question.stack)
      }
    }
  }

  /** A request that is locked out permanently waits forever: that counts as an end too. */
  #leaveWaiting(): void {
    const { log, world } = this.#machines
    this.scenario.requests.forEach(({ environment, id }, index) => {
      const lock = lockOn(log.deployment, environment as EnvironmentName, world.now)
      const held = lock !== undefined && lock.until === undefined && world.now - lock.at > 120_000
      const waits = log.queues.waiting(`${deploymentId}/${environment}`).some((one) => one.id === id)
      if (held && waits) this.#end(index, "waits")
    })
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
