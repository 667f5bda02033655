/**
 * The operations on the rules of listeners.
 */
import {
  type Action,
  type CreateRuleCommandInput,
  type CreateRuleCommandOutput,
  CreateRule$,
  type DeleteRuleCommandInput,
  type DeleteRuleCommandOutput,
  DeleteRule$,
  type DescribeRulesCommandInput,
  type DescribeRulesCommandOutput,
  DescribeRules$,
  type ModifyRuleCommandInput,
  type ModifyRuleCommandOutput,
  ModifyRule$,
  type Rule as RuleJson,
  type SetRulePrioritiesCommandInput,
  type SetRulePrioritiesCommandOutput,
  SetRulePriorities$
} from "@aws-sdk/client-elastic-load-balancing-v2"
import { AwsError, invalid } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import { pageOf } from "../wire/pages.ts"
import { checkedActions, groupsOf } from "./Actions.ts"
import type { Rule } from "./Listener.ts"
import type { Balancer, LoadBalancing } from "./LoadBalancing.ts"

/** The actions as AWS keeps them. A group can only belong to one load balancer. */
export const checkedFor = (
  state: LoadBalancing,
  balancer: Balancer,
  sent: ReadonlyArray<Action>,
  secure: boolean,
  before: ReadonlyArray<Action>
): ReadonlyArray<Action> => {
  const actions = checkedActions(sent, secure, before)
  for (const { TargetGroupArn } of groupsOf(actions)) {
    state.group(TargetGroupArn)
    const other = state.usersOf(TargetGroupArn).find(({ arn }) => arn !== balancer.arn)
    if (other !== undefined) {
      throw new AwsError(
        "TargetGroupAssociationLimit",
        `The following target groups cannot be associated with more than one load balancer: ${TargetGroupArn}`
      )
    }
  }
  return actions
}

const jsonOf = ({ actions, arn, conditions, priority }: Rule): RuleJson => ({
  RuleArn: arn,
  Priority: String(priority),
  Conditions: [...conditions],
  Actions: [...actions],
  IsDefault: priority === "default"
})

const fields = new Set([
  "path-pattern",
  "host-header",
  "http-header",
  "http-request-method",
  "query-string",
  "source-ip"
])

const checkConditions = (conditions: CreateRuleCommandInput["Conditions"]): void => {
  for (const { Field } of conditions ?? []) {
    if (!fields.has(Field ?? ""))
      throw invalid(`Condition field '${Field}' must be one of '[${[...fields].join(", ")}]'`)
  }
}

const checkPriority = (priority: number): void => {
  if (priority < 1 || priority > 50_000) throw invalid(`Priority '${priority}' must be between 1 and 50000`)
}

export const ruleOperations = (state: LoadBalancing): Service["operations"] => ({
  CreateRule: operation<CreateRuleCommandInput, CreateRuleCommandOutput>(CreateRule$, (input) => {
    const { balancer, listener } = state.listener(input.ListenerArn!)
    const priority = input.Priority!
    checkPriority(priority)
    checkConditions(input.Conditions)
    if (listener.rules.some((rule) => rule.priority === priority)) {
      throw new AwsError("PriorityInUse", `Priority '${priority}' is currently in use`)
    }
    const rule: Rule = {
      arn: `${listener.arn.replace(":listener/", ":listener-rule/")}/${state.options.place.id(16)}`,
      priority,
      conditions: input.Conditions ?? [],
      actions: checkedFor(state, balancer, input.Actions ?? [], listener.secure, []),
      tags: input.Tags ?? []
    }
    state.changing(() => listener.rules.push(rule))
    state.propagate(listener)
    return { Rules: [jsonOf(rule)] }
  }),
  DescribeRules: operation<DescribeRulesCommandInput, DescribeRulesCommandOutput>(
    DescribeRules$,
    ({ ListenerArn, Marker, PageSize, RuleArns = [] }) => {
      if (ListenerArn === undefined) return { Rules: RuleArns.map((arn) => jsonOf(state.rule(arn).rule)) }
      const { ordered } = state.listener(ListenerArn).listener
      const { items, next } = pageOf(ordered, Marker, PageSize, state.options.pageSize)
      return { Rules: items.map(jsonOf), NextMarker: next }
    }
  ),
  ModifyRule: operation<ModifyRuleCommandInput, ModifyRuleCommandOutput>(ModifyRule$, (input) => {
    const { balancer, listener, rule } = state.rule(input.RuleArn!)
    if (rule.priority === "default") {
      throw new AwsError("OperationNotPermitted", `Default rule '${rule.arn}' cannot be modified`)
    }
    checkConditions(input.Conditions)
    const { Actions = [], Conditions = [] } = input
    const actions =
      Actions.length === 0 ? rule.actions : checkedFor(state, balancer, Actions, listener.secure, rule.actions)
    state.changing(() => {
      rule.actions = actions
      if (Conditions.length > 0) rule.conditions = Conditions
    })
    state.propagate(listener)
    return { Rules: [jsonOf(rule)] }
  }),
  DeleteRule: operation<DeleteRuleCommandInput, DeleteRuleCommandOutput>(DeleteRule$, ({ RuleArn }) => {
    const { listener, rule } = state.rule(RuleArn!)
    if (rule.priority === "default") {
      throw new AwsError("OperationNotPermitted", `Default rule '${rule.arn}' cannot be deleted`)
    }
    state.changing(() => listener.rules.splice(listener.rules.indexOf(rule), 1))
    state.propagate(listener)
    return {}
  }),
  SetRulePriorities: operation<SetRulePrioritiesCommandInput, SetRulePrioritiesCommandOutput>(
    SetRulePriorities$,
    ({ RulePriorities = [] }) => {
      const changes = RulePriorities.map(({ Priority = 0, RuleArn }) => ({
        ...state.rule(RuleArn!),
        priority: Priority
      }))
      for (const { listener, priority, rule } of changes) {
        checkPriority(priority)
        if (rule.priority === "default") {
          throw new AwsError("OperationNotPermitted", `Default rule '${rule.arn}' cannot be modified`)
        }
        const others = listener.rules.filter((one) => !changes.some((change) => change.rule === one))
        if (others.some((one) => one.priority === priority)) {
          throw new AwsError("PriorityInUse", `Priority '${priority}' is currently in use`)
        }
      }
      for (const { priority, rule } of changes) rule.priority = priority
      for (const listener of new Set(changes.map(({ listener }) => listener))) state.propagate(listener)
      return { Rules: changes.map(({ rule }) => jsonOf(rule)) }
    }
  )
})
