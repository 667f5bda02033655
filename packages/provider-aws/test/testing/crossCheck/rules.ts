/**
 * The rules of a listener, and tags.
 */
import { type Made, to } from "./listeners.ts"
import type { Script, Side } from "./Script.ts"

export const rules = async (script: Script, { aws: { elb } }: Side, made: Made): Promise<void> => {
  const { refused, step } = script
  const { blue, green, listener: ListenerArn } = made
  const Conditions = [{ Field: "path-pattern", Values: ["/api/*"] }]
  const rule = (Priority: number) =>
    elb.createRule({ ListenerArn, Priority, Conditions, Actions: [to([blue, 9], [green, 1])] })
  const RuleArn = (await rule(10)).Rules![0]!.RuleArn!
  script.name(RuleArn, "RULE")
  const read = async () => {
    const { Rules } = await elb.describeRules({ ListenerArn })
    return Rules!.map(({ Actions, IsDefault, Priority }) => ({ Actions, IsDefault, Priority }))
  }
  await step("rules of a listener, in their order", read)
  await refused("create a rule of a priority that is in use", () => rule(10))
  await refused("create a rule of priority 0", async () => {
    const { Rules } = await rule(0)
    await elb.deleteRule({ RuleArn: Rules![0]!.RuleArn! })
  })
  await step("weights of 50 and 50 in a rule", async () => {
    await elb.modifyRule({ RuleArn, Actions: [to([blue, 50], [green, 50])] })
    return read()
  })
  const { Rules } = await elb.describeRules({ ListenerArn })
  const base = Rules!.find(({ IsDefault }) => IsDefault)!.RuleArn!
  await refused(
    "modify the default rule as a rule",
    () => elb.modifyRule({ RuleArn: base, Actions: [to([green, 1])] }),
    () => elb.modifyListener({ ListenerArn, DefaultActions: [to([blue, 1], [green, 0])] })
  )
  await refused("delete the default rule", () => elb.deleteRule({ RuleArn: base }))
  await step("change a priority", async () => {
    await elb.setRulePriorities({ RulePriorities: [{ RuleArn, Priority: 20 }] })
    return read()
  })
  await refused("read a rule that does not exist", () => elb.describeRules({ RuleArns: [`${RuleArn.slice(0, -1)}0`] }))

  const ResourceArns = [ListenerArn, RuleArn, blue]
  const tags = async () => {
    const { TagDescriptions } = await elb.describeTags({ ResourceArns })
    return TagDescriptions!.map(({ ResourceArn, Tags }) => ({
      ResourceArn,
      Tags: Tags!.toSorted((a, b) => (a.Key! < b.Key! ? -1 : 1))
    }))
  }
  await step("tags of a listener, a rule and a target group", async () => {
    await elb.addTags({ ResourceArns, Tags: [{ Key: "signalbox:deployment", Value: "A & <B>" }] })
    await elb.addTags({ ResourceArns: [RuleArn], Tags: [{ Key: "other", Value: "" }] })
    return tags()
  })
  await step("remove a tag, and one that is not there", async () => {
    await elb.removeTags({ ResourceArns, TagKeys: ["signalbox:deployment", "none"] })
    return tags()
  })
  await refused("tags of a rule that does not exist", () =>
    elb.describeTags({ ResourceArns: [`${RuleArn.slice(0, -1)}0`] })
  )
}
