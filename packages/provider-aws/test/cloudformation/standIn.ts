/**
 * Stands in for CloudFormation where the emulator cannot be brought into a status: one stack in a given status, whose
 * operations end as the documentation of CloudFormation says. Every answer is in the form that AWS gives.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"

type Value = string | ReadonlyArray<Value> | { readonly [key: string]: Value }

const xml = (value: Value): string =>
  typeof value === "string"
    ? value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")
    : Array.isArray(value)
      ? value.map((item) => `<member>${xml(item)}</member>`).join("")
      : Object.entries(value)
          .map(([name, inner]) => `<${name}>${xml(inner as Value)}</${name}>`)
          .join("")

export const stackId = "arn:aws:cloudformation:eu-west-1:123456789012:stack/the-api/0a1b2c"

/** How an operation ends that was begun in each call. */
const ends: Readonly<Record<string, string>> = {
  CreateStack: "CREATE_COMPLETE",
  UpdateStack: "UPDATE_COMPLETE",
  ExecuteChangeSet: "UPDATE_COMPLETE",
  DeleteStack: "DELETE_COMPLETE",
  CancelUpdateStack: "UPDATE_ROLLBACK_COMPLETE",
  ContinueUpdateRollback: "UPDATE_ROLLBACK_COMPLETE",
  RollbackStack: "UPDATE_ROLLBACK_COMPLETE"
}

/** How an operation that is in progress ends when nothing disturbs it. */
const settled = (status: string): string =>
  status
    .replace("_CLEANUP_IN_PROGRESS", "")
    .replace(/_IN_PROGRESS$/, "_COMPLETE")
    .replace(/_COMPLETE_COMPLETE$/, "_COMPLETE")

/**
 * Starts it, with the status of the stack, the token of the operation that it is in, and its template. `older` counts
 * events from before.
 */
export const standIn = async (status: string, token: string, template: string, older = 0) => {
  const calls: Array<string> = []
  let pages = 0
  let now = { status, token, template, since: Date.parse("2026-01-02T03:04:05Z"), looks: 0 }
  const history: Array<Value> = []
  const happened = (status: string, token: string, at = now.since + history.length) => {
    history.unshift({
      StackId: stackId,
      StackName: "the-api",
      LogicalResourceId: "the-api",
      PhysicalResourceId: stackId,
      ResourceType: "AWS::CloudFormation::Stack",
      ResourceStatus: status,
      Timestamp: new Date(at).toISOString(),
      EventId: String(history.length),
      ...(token === "" ? {} : { ClientRequestToken: token })
    })
  }
  for (let index = older; index > 0; index--) happened("UPDATE_COMPLETE", "", now.since - 1_000 * index)
  happened(status, token)

  const begin = (call: string, token: string, body: string | null) => {
    const status = ends[call]!
    happened(call === "DeleteStack" ? "DELETE_IN_PROGRESS" : "UPDATE_IN_PROGRESS", token)
    happened(status, token)
    now = { ...now, status, token, template: body ?? now.template }
  }

  const serve = (action: string, query: URLSearchParams): Value | { readonly error: string } => {
    const exists = now.status !== "DELETE_COMPLETE" && now.status !== ""
    switch (action) {
      case "DescribeStacks": {
        if (!exists && query.get("StackName") !== stackId) return { error: "Stack with id the-api does not exist" }
        const stack = {
          StackId: stackId,
          StackName: "the-api",
          StackStatus: now.status,
          CreationTime: new Date(now.since - 1000).toISOString(),
          LastUpdatedTime: new Date(now.since).toISOString()
        }
        // What is in progress ends after it was seen a few times.
        if (now.status.endsWith("_IN_PROGRESS") && now.status !== "REVIEW_IN_PROGRESS" && ++now.looks > 4) {
          now = { ...now, status: settled(now.status) }
          happened(now.status, now.token)
        }
        return { Stacks: [stack] }
      }
      case "DescribeStackEvents": {
        pages += 1
        const from = Number(query.get("NextToken") ?? 0)
        const next = from + 100
        const StackEvents = history.slice(from, next)
        return next < history.length ? { StackEvents, NextToken: String(next) } : { StackEvents }
      }
      case "GetTemplate":
        return exists ? { TemplateBody: now.template } : { error: "Stack with id the-api does not exist" }
      case "ListStackResources":
        return { StackResourceSummaries: [] }
      case "ListChangeSets":
        return { Summaries: [] }
      case "DescribeChangeSet":
        return calls.includes("CreateChangeSet")
          ? { ChangeSetId: "arn:change-set", Status: "CREATE_COMPLETE", ExecutionStatus: "AVAILABLE", Changes: [] }
          : { error: "ChangeSet [x] does not exist" }
      case "GetCallerIdentity":
        return { Account: "123456789012", Arn: "arn:aws:iam::123456789012:user/x", UserId: "x" }
      default:
        calls.push(action)
        if (action in ends) begin(action, query.get("ClientRequestToken") ?? "", query.get("TemplateBody"))
        return { StackId: stackId }
    }
  }

  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const query = new URLSearchParams(body.toString())
      const action = query.get("Action")!
      const answer = serve(action, query)
      response.setHeader("content-type", "text/xml")
      if (typeof answer === "object" && "error" in answer) {
        response.statusCode = 400
        return response.end(
          `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${xml(answer.error)}</Message></Error></ErrorResponse>`
        )
      }
      return response.end(`<${action}Response><${action}Result>${xml(answer)}</${action}Result></${action}Response>`)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The calls that change something, in order. */
    calls,
    status: () => now.status,
    /** How many pages of events were read. */
    pages: () => pages,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => void server.close(resolve))
    }
  }
}
