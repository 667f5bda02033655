import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { CorrelationId, Environment, type Event, Queue, type QueuePolicy } from "../../src/domain/index.ts"
import { requested } from "./arbitraries.ts"

const id = (number: number) => CorrelationId.make(`request-${number}`)
const ids = (queue: Queue.Queue) => queue.map(({ correlationId }) => correlationId)
const numberOf = (name: string): number => Number(name.slice("request-".length))

const between = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const ticket = (number: number, kind: "deploy" | "rollback", policy: QueuePolicy = "fifo") => ({
  correlationId: id(number),
  kind,
  by: "ada",
  at: number,
  policy
})

/** Events of a queue: a deployment or rollback arrives, leaves, or is admitted. */
type Move = "deploy" | "rollback" | "turn" | "leave"
const moves: ReadonlyArray<Move> = ["deploy", "deploy", "rollback", "turn", "turn", "leave"]

const walk = Arbitrary.array(Arbitrary.all([between(0, moves.length - 1), between(0, 99)]), { maxLength: 80 })

interface Passing {
  readonly passed: Queue.Ticket
  readonly by: Queue.Ticket
}

/** Applies all of them. An admission takes the first one in order that `isWaiting` does not deny. */
const wander = (
  choices: ReadonlyArray<readonly [number, number]>,
  options: {
    readonly isWaiting?: (ticket: Queue.Ticket) => boolean
    readonly onStep?: (queue: Queue.Queue) => void
  } = {}
): { readonly queue: Queue.Queue; readonly passings: ReadonlyArray<Passing> } => {
  let queue: Queue.Queue = []
  const passings: Array<Passing> = []
  choices.forEach(([which, choice], index) => {
    const move = moves[which]!
    if (move === "deploy" || move === "rollback") queue = Queue.join(queue, ticket(index, move))
    else if (move === "leave")
      queue = Queue.leave(queue, queue[choice % Math.max(1, queue.length)]?.correlationId ?? id(-1))
    else {
      const next = Queue.inOrder(queue).find(options.isWaiting ?? (() => true))
      if (next !== undefined) {
        const before = queue.slice(0, queue.indexOf(next))
        passings.push(...before.map((passed) => ({ passed, by: next })))
        queue = Queue.take(queue, next.correlationId)
      }
    }
    options.onStep?.(queue)
  })
  return { queue, passings }
}

const everyThird = ({ correlationId }: Queue.Ticket): boolean => numberOf(correlationId) % 3 !== 0

describe("the queue", () => {
  it.prop("orders the waiting requests, and neither loses nor invents one", [walk], ([choices]) => {
    wander(choices, {
      onStep: (queue) => assert.sameMembers(ids(Queue.inOrder(queue)), ids(queue))
    })
  })

  it.prop("keeps the order in which they came, but for rollbacks", [walk], ([choices]) => {
    for (const { by, passed } of wander(choices).passings) {
      assert.deepStrictEqual([by.kind, passed.kind], ["rollback", "deploy"])
    }
  })

  it.prop("never lets a request be overtaken forever", [walk], ([choices]) => {
    const overtaken = new Map<string, number>()
    for (const { passed } of wander(choices).passings) {
      overtaken.set(passed.correlationId, (overtaken.get(passed.correlationId) ?? 0) + 1)
    }
    for (const count of overtaken.values()) assert.isAtMost(count, Queue.maxOvertaken)
  })

  it("puts a request that was overtaken the maximum number of times before a rollback", () => {
    let queue = Queue.join([], ticket(0, "deploy"))
    for (let number = 1; number <= Queue.maxOvertaken + 1; number++)
      queue = Queue.join(queue, ticket(number, "rollback"))
    const turns: Array<number> = []
    while (queue.length > 0) {
      const [next] = Queue.inOrder(queue)
      turns.push(numberOf(next!.correlationId))
      queue = Queue.take(queue, next!.correlationId)
    }
    assert.deepStrictEqual(turns, [1, 2, 3, 4, 5, 0, 6])
  })

  it.prop(
    "leaves and takes as often as one likes, with the effect of once",
    [walk, between(0, 79)],
    ([choices, who]) => {
      const { queue } = wander(choices)
      for (const change of [Queue.leave, Queue.take]) {
        const once = change(queue, id(who))
        assert.notInclude(ids(once), id(who))
        assert.strictEqual(change(once, id(who)), once)
        assert.deepStrictEqual(
          ids(once),
          ids(queue).filter((one) => one !== id(who))
        )
      }
    }
  )

  it.prop("puts no request before another that is not in order before it", [walk, between(0, 79)], ([choices, who]) => {
    const { queue } = wander(choices)
    const asked = queue.find(({ correlationId }) => correlationId === id(who)) ?? ticket(who, "deploy")
    const order = ids(Queue.inOrder(queue))
    const place = order.indexOf(asked.correlationId)
    const expected = place === -1 ? order : order.slice(0, place)
    assert.deepStrictEqual(ids(Queue.before(queue, asked)), expected)
    assert.deepStrictEqual(
      ids(Queue.before(queue, asked, everyThird)),
      expected.filter((one) => numberOf(one) % 3 !== 0)
    )
  })

  it.prop("keeps the position of requests whose process is gone, and they hold up no other", [walk], ([choices]) => {
    const { passings, queue } = wander(choices, { isWaiting: everyThird })
    for (const { by, passed } of passings) {
      if (everyThird(passed)) assert.deepStrictEqual([by.kind, passed.kind], ["rollback", "deploy"])
    }
    // A request that returns is before all later ones of the same kind.
    const order = Queue.inOrder(queue)
    order.forEach((back, place) => {
      const later = order.slice(0, place).filter(({ at, kind }) => kind === back.kind && at > back.at)
      assert.deepStrictEqual(later, [])
    })
  })

  it.prop(
    "gives the latest the place of all that wait, but for rollbacks",
    [walk, between(0, 2)],
    ([choices, which]) => {
      const policy = (["fifo", "latest_wins", "reject"] as const)[which]!
      const { queue } = wander(choices)
      const newcomer = { correlationId: id(1_000), policy }
      const joined = Queue.join(queue, ticket(1_000, "deploy", policy))
      // Later requests do not matter to it.
      const after = Queue.join(joined, ticket(1_001, "deploy"))
      const displaced = Queue.displacedBy(after, newcomer)
      assert.deepStrictEqual(displaced, Queue.displacedBy(queue, newcomer))
      assert.deepStrictEqual(displaced, policy === "latest_wins" ? queue.filter(({ kind }) => kind !== "rollback") : [])
      const left = displaced.reduce<Queue.Queue>((rest, { correlationId }) => Queue.leave(rest, correlationId), after)
      if (policy === "latest_wins") {
        assert.isTrue(Queue.before(left, ticket(1_000, "deploy")).every(({ kind }) => kind === "rollback"))
      }
    }
  )
})

/** The life of one request, as its own events tell it. */
type Stage = "unknown" | "waiting" | "begun" | "ended"

const { correlationId: _, queue: __, ...request } = requested("deploy")
const { deploymentBefore, spec, stacksBefore } = request

const lives = Arbitrary.array(Arbitrary.all([between(0, 5), between(0, 7)]), { maxLength: 80 })

/** What may come next for a request at that stage. */
const nextFor = (
  stage: Stage,
  choice: number,
  correlationId: CorrelationId
): readonly [event: Event, to: Stage] | undefined => {
  const asked = { ...request, correlationId }
  switch (stage) {
    case "unknown":
      return choice === 0
        ? [asked, "begun"]
        : choice === 1
          ? [{ ...asked, kind: "observe" }, "begun"]
          : [{ ...asked, queue: choice === 2 ? "latest_wins" : "fifo" }, "waiting"]
    case "waiting":
      return choice < 2
        ? [{ _tag: "ExecutionTransitioned", on: "cancelled" }, "ended"]
        : [{ _tag: "ExecutionAdmitted", deploymentBefore, stacksBefore, spec }, "begun"]
    case "begun":
      return choice < 3
        ? [{ _tag: "ExecutionTransitioned", on: "started" }, "begun"]
        : [{ _tag: "ExecutionTransitioned", on: choice === 3 ? "failed" : "completed" }, "ended"]
    case "ended":
      return undefined
  }
}

describe("the queue in the log", () => {
  it.prop("holds exactly the requests that have neither begun nor ended", [lives], ([choices]) => {
    const stages = new Map<CorrelationId, Stage>()
    const asked: Array<CorrelationId> = []
    let state: Environment.EnvironmentState | undefined
    choices.forEach(([choice, who], at) => {
      const correlationId = id(who)
      const next = nextFor(stages.get(correlationId) ?? "unknown", choice, correlationId)
      if (next === undefined) return
      const [event, to] = next
      if (to === "waiting") asked.push(correlationId)
      stages.set(correlationId, to)
      state = Result.getOrThrow(Environment.evolve(state, at, correlationId, event))
      const waiting = asked.filter((one) => stages.get(one) === "waiting")
      assert.deepStrictEqual(ids(state?.queue ?? []), waiting)
      if (event._tag === "ExecutionAdmitted") assert.strictEqual(state?.current, correlationId)
    })
  })
})
