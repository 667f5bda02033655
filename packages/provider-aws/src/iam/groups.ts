/**
 * What a policy for Auto Scaling groups allows, with or without a load balancer in front.
 */
import { autoScalingCalls, cloudWatchCalls, ec2Calls, loadBalancingCalls, type Purpose } from "./calls.ts"
import { named, type Statement } from "./statement.ts"

/** IAM limits no call that only describes to a resource. */
const describing = (kind: "alb" | "asg") =>
  [
    ...named("autoscaling", autoScalingCalls, ["plan"]),
    ...named("cloudwatch", cloudWatchCalls, ["plan"]),
    ...named("ec2", ec2Calls, ["plan"]),
    ...named("elasticloadbalancing", loadBalancingCalls, ["plan"])
  ].filter(
    (call) =>
      kind === "alb" ||
      (!call.startsWith("elasticloadbalancing:") && call !== "cloudwatch:GetMetricData") ||
      call === "elasticloadbalancing:DescribeTargetHealth"
  )

/** Calls that only the one or the other kind makes. */
const only: Readonly<Record<string, "alb" | "asg">> = {
  "autoscaling:CancelInstanceRefresh": "asg",
  "autoscaling:CreateOrUpdateTags": "asg",
  "autoscaling:DeleteTags": "asg",
  "autoscaling:RollbackInstanceRefresh": "asg"
}

export const groupStatements = ({
  arn,
  group,
  kind,
  purpose,
  role
}: {
  readonly arn: (service: string, what: string) => string
  readonly group: string
  readonly kind: "alb" | "asg"
  readonly purpose: Purpose
  readonly role: string | undefined
}): ReadonlyArray<Statement> => {
  const reading: Statement = { Sid: "Read", Effect: "Allow", Action: describing(kind), Resource: "*" }
  if (purpose !== "deploy") return [reading]
  const statements: ReadonlyArray<Statement | false> = [
    reading,
    {
      Sid: "Groups",
      Effect: "Allow",
      Action: named("autoscaling", autoScalingCalls, ["deploy"]).filter((call) => (only[call] ?? kind) === kind),
      Resource: arn("autoscaling", `autoScalingGroup:*:autoScalingGroupName/${group}`)
    },
    kind === "alb" && {
      Sid: "Listeners",
      Effect: "Allow",
      Action: named("elasticloadbalancing", loadBalancingCalls, ["deploy"]),
      Resource: [arn("elasticloadbalancing", "listener/app/*"), arn("elasticloadbalancing", "listener-rule/app/*")]
    },
    {
      Sid: "Templates",
      Effect: "Allow",
      Action: named("ec2", ec2Calls, ["deploy"]),
      Resource: arn("ec2", "launch-template/*")
    },
    // Auto Scaling lets only those set a launch template who may launch from it.
    { Sid: "Launch", Effect: "Allow", Action: ["ec2:RunInstances"], Resource: "*" },
    role !== undefined && {
      Sid: "Role",
      Effect: "Allow",
      Action: ["iam:PassRole"],
      Resource: role,
      Condition: { StringEquals: { "iam:PassedToService": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] } }
    }
  ]
  return statements.filter((statement) => statement !== false)
}
