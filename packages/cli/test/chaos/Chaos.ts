/** Chaos runs: each with its scenario, its fault and its twin, identified by a seed and a number. */
import { type Chance, chance } from "./chance.ts"
import { conduct, type Conducted, operation, argsOf, person } from "./conduct.ts"
import { type Ending, endingOf } from "./ending.ts"
import { endOf, type Note, readNotes } from "./evidence.ts"
import { draw, type Fault, type FaultKind, fits, order } from "./faults.ts"
import * as Judge from "./judge.ts"
import { naming } from "./processes.ts"
import { round, type Scenario, scenario } from "./scenario.ts"
import { World } from "./World.ts"

export interface Twin {
  readonly code: number | undefined
  readonly end: string
  readonly ending: Ending
  readonly notes: ReadonlyArray<Note>
  readonly took: number
}

export interface Report {
  readonly run: number
  readonly kind: FaultKind
  readonly place: string | undefined
  readonly scenario: string
  readonly fault: Fault | undefined
  readonly problems: ReadonlyArray<Judge.Problem>
  readonly notes: ReadonlyArray<string>
  readonly history: ReadonlyArray<string>
  readonly folder: string
  readonly took: number
}

export interface ChaosOptions {
  readonly program: string
  readonly seed: number
  /** How many scenarios there are to draw from: each is carried out once without faults. */
  readonly scenarios?: number
  readonly only?: FaultKind
  /** Faults that this machine cannot bring about. */
  readonly without?: ReadonlyArray<FaultKind>
}

/** A bug planted in the commands (see the preload), or damage done before the judge looks: it has to see either. */
export interface Plant {
  readonly inside?: (world: World) => string
  readonly afterwards?: (world: World) => void
}

export class Chaos {
  readonly #options: ChaosOptions
  readonly #twins = new Map<number, Promise<Twin>>()
  readonly #worlds = new Set<World>()

  constructor(options: ChaosOptions) {
    this.#options = options
  }

  /** The operation without faults. */
  #twin(index: number, planned: Scenario): Promise<Twin> {
    let twin = this.#twins.get(index)
    if (twin === undefined) {
      twin = this.#undisturbed(planned)
      this.#twins.set(index, twin)
    }
    return twin
  }

  async #undisturbed(planned: Scenario): Promise<Twin> {
    const world = this.#world(planned)
    try {
      const helper = person(world)
      await world.prepare()
      const before = readNotes(world.trace).length
      const started = performance.now()
      const { code, stderr } = await world.settle(argsOf(world))
      const took = performance.now() - started
      await helper.leave()
      const end = endOf(world.log, operation)
      if (end === undefined) throw new Error(`the twin of ${planned.name} did not end: ${code} ${stderr}`)
      const ending = await endingOf(world)
      return { code, end, ending, notes: readNotes(world.trace).slice(before), took }
    } finally {
      await this.#remove(world, false)
    }
  }

  #world(planned: Scenario): World {
    const world = new World(this.#options.program, planned)
    this.#worlds.add(world)
    return world
  }

  async #remove(world: World, keep: boolean): Promise<void> {
    await world.remove(keep)
    this.#worlds.delete(world)
  }

  /** Ends everything in progress and removes it. */
  async abandon(): Promise<void> {
    await Promise.allSettled([...this.#worlds].map((world) => world.remove(false)))
  }

  #pick(number: number): { readonly index: number; readonly what: (typeof order)[number] } {
    const { only, scenarios = 3 * round, seed, without = [] } = this.#options
    const kinds = order.filter(([kind]) => (only === undefined || kind === only) && !without.includes(kind))
    const what = kinds[number % kinds.length]!
    const fitting = Array.from({ length: scenarios }, (_, index) => index).filter((index) =>
      fits(what, scenario(seed, index))
    )
    return { index: chance(seed, "pick", number).one(fitting), what }
  }

  /** One run; it never fails, but returns its problems. */
  async run(number: number, plant?: Plant): Promise<Report> {
    const { seed } = this.#options
    const started = performance.now()
    const { index, what } = this.#pick(number)
    const planned = scenario(seed, index)
    const luck: Chance = chance(seed, "run", number)
    let problems: ReadonlyArray<Judge.Problem> = []
    let fault: Fault | undefined
    let notes: ReadonlyArray<string> = []
    let world: World | undefined
    try {
      const twin = await this.#twin(index, planned)
      fault = draw(what, twin.notes, twin.took, luck)
      world = this.#world(planned)
      if (fault.kind === "full") world.mount()
      const conducted = await conduct(world, fault, luck, plant?.inside?.(world))
      plant?.afterwards?.(world)
      notes = conducted.notes
      problems = await this.#judge(world, fault, conducted, twin)
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      problems = [...(world === undefined ? [] : written(world, fault, [])), { rule: "final", message: text }]
    }
    const history = world?.history ?? []
    try {
      if (world !== undefined) await this.#remove(world, problems.length > 0 && plant === undefined)
    } catch (error) {
      problems = [...problems, { rule: "orphan", message: String(error) }]
    }
    return {
      run: number,
      kind: what[0],
      place: what[1],
      scenario: planned.name,
      fault,
      problems,
      notes,
      history,
      folder: world?.folder ?? "",
      took: performance.now() - started
    }
  }

  async #judge(world: World, fault: Fault, { code, killedAt, printed }: Conducted, twin: Twin) {
    const ending = await endingOf(world, twin.ending, killedAt.length > 0 ? 15_000 : 5000)
    await world.stopLoad()
    const { log } = world
    const stream = fault.kind === "sleep" ? "other" : operation
    const expected = { [stream]: twin.end }
    const left = naming(world.folder).filter(
      ({ command, pid }) => pid !== world.supervisor && !/signalbox-watchdog|__supervisor/.test(command)
    )
    const supervisors = naming(world.folder).filter(
      ({ command }) => command.includes("__supervisor") && !command.includes("signalbox-watchdog")
    )
    const wrongCode =
      code === twin.code ? [] : [{ rule: "final", message: `exit code ${code}, the twin's is ${twin.code}` } as const]
    return [
      ...written(world, fault, printed),
      ...Judge.ends(log, expected),
      ...Judge.same(ending, twin.ending),
      ...wrongCode,
      ...(world.scenario.kind === "destroy"
        ? []
        : Judge.answers(world.asked, killedAt, world.scenario.kind === "erroring")),
      ...left.map(({ command, pid }) => ({ rule: "orphan", message: `left running: ${pid} ${command}` }) as const),
      ...(supervisors.length > 1 ? [{ rule: "orphan", message: `${supervisors.length} supervisors` } as const] : [])
    ] satisfies ReadonlyArray<Judge.Problem>
  }
}

/** The records are complete, wherever a run ended. */
const written = (
  world: World,
  fault: Fault | undefined,
  printed: Conducted["printed"]
): ReadonlyArray<Judge.Problem> => {
  const { ledger, log } = world
  const notes = readNotes(world.trace)
  return [
    ...Judge.steps(ledger, notes, log),
    ...Judge.mutators(ledger, log, fault?.kind !== "clock"),
    ...Judge.events(log, notes, printed),
    ...Judge.prose(log)
  ]
}
