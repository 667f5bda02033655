/**
 * A listener: its rules, and the nodes of the load balancer that follow them, each a little later.
 */
import type { Action, Listener as ListenerJson, RuleCondition, Tag } from "@aws-sdk/client-elastic-load-balancing-v2"
import type { IncomingMessage } from "node:http"
import type { SimulatedClock } from "../SimulatedClock.ts"
import { groupsOf, type Weighted } from "./Actions.ts"
import { isFor } from "./Conditions.ts"

export interface Rule {
  readonly arn: string
  /** The default rule comes last. */
  priority: number | "default"
  conditions: ReadonlyArray<RuleCondition>
  actions: ReadonlyArray<Action>
  tags: ReadonlyArray<Tag>
}

/** The rules as a node of the load balancer knows them. */
interface Node {
  generation: number
  rules: ReadonlyArray<Rule>
  /** How far each group is ahead of its share, by rule. */
  readonly credits: Map<string, Map<string, number>>
}

export class Listener {
  readonly json: ListenerJson
  readonly rules: Array<Rule>
  readonly #nodes: ReadonlyArray<Node>
  readonly #clock: SimulatedClock
  #generation = 0
  #turn = 0

  constructor(json: ListenerJson, rule: Rule, nodes: number, clock: SimulatedClock) {
    this.json = json
    this.rules = [rule]
    this.#clock = clock
    this.#nodes = Array.from({ length: nodes }, () => ({ generation: 0, rules: this.#snapshot(), credits: new Map() }))
  }

  get arn(): string {
    return this.json.ListenerArn!
  }

  get secure(): boolean {
    return this.json.Protocol === "HTTPS"
  }

  get default(): Rule {
    return this.rules.find(({ priority }) => priority === "default")!
  }

  /** In the order in which they are asked. */
  get ordered(): ReadonlyArray<Rule> {
    return this.#snapshot()
  }

  /** Lets the nodes know about a change: each after its own delay. */
  propagate(delays: ReadonlyArray<number>): void {
    const generation = ++this.#generation
    const rules = this.#snapshot()
    for (const [at, node] of this.#nodes.entries()) {
      const learn = () => {
        if (node.generation >= generation) return
        Object.assign(node, { generation, rules })
        // What was due by other weights is not made up for.
        node.credits.clear()
      }
      const delay = delays[at % delays.length] ?? 0
      if (delay === 0) learn()
      else this.#clock.after(delay, learn)
    }
  }

  /** The actions for a request, and a way to choose one of weighted groups, by the node that the request arrives at. */
  route(request: IncomingMessage): { readonly actions: ReadonlyArray<Action>; readonly choose: Chooser } {
    const node = this.#nodes[this.#turn++ % this.#nodes.length]!
    const rule = node.rules.find(({ conditions, priority }) => priority === "default" || isFor(conditions, request))!
    const credits = node.credits.get(rule.arn) ?? new Map<string, number>()
    node.credits.set(rule.arn, credits)
    return { actions: rule.actions, choose: (groups) => weighted(groups, credits) }
  }

  /** The groups that rules name. */
  get groups(): ReadonlyArray<string> {
    return this.rules.flatMap(({ actions }) => groupsOf(actions).map(({ TargetGroupArn }) => TargetGroupArn))
  }

  #snapshot(): ReadonlyArray<Rule> {
    const place = ({ priority }: Rule) => (priority === "default" ? Infinity : priority)
    return this.rules.map((rule) => ({ ...rule })).sort((a, b) => place(a) - place(b))
  }
}

/** Chooses one of some groups; undefined if none has a weight. */
export type Chooser = (groups: ReadonlyArray<Weighted>) => string | undefined

/** Smooth weighted round robin, so that shares are exact. */
const weighted = (groups: ReadonlyArray<Weighted>, credits: Map<string, number>): string | undefined => {
  let best: string | undefined
  let total = 0
  for (const { TargetGroupArn, Weight } of groups) {
    if (Weight === 0) {
      credits.delete(TargetGroupArn)
      continue
    }
    const credit = (credits.get(TargetGroupArn) ?? 0) + Weight
    credits.set(TargetGroupArn, credit)
    total += Weight
    if (best === undefined || credit > credits.get(best)!) best = TargetGroupArn
  }
  if (best !== undefined) credits.set(best, credits.get(best)! - total)
  return best
}
