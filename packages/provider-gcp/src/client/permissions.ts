/**
 * Every permission of Cloud Run that a call of the plug-in needs, with the purpose that needs it. Roles are printed from
 * this table, and code can make no call that is not in it.
 */

/** What credentials are for: to look and preview; or to deploy, roll back and destroy as well. */
export type Purpose = "plan" | "deploy"

export const runPermissions = {
  "services.get": "plan",
  "revisions.get": "plan",
  "revisions.list": "plan",
  "services.create": "deploy",
  "services.update": "deploy",
  "services.delete": "deploy",
  "jobs.get": "plan",
  "executions.list": "plan",
  "jobs.create": "deploy",
  "jobs.update": "deploy",
  "jobs.delete": "deploy",
  "jobs.run": "deploy",
  "executions.cancel": "deploy"
} as const satisfies Readonly<Record<string, Purpose>>

/** The permissions of Cloud Monitoring, which has the requests of Cloud Run. */
export const monitoringPermissions = {
  "timeSeries.list": "plan"
} as const satisfies Readonly<Record<string, Purpose>>

/** The permissions of Cloud Logging. Without them, causes have no lines of the log. */
export const loggingPermissions = {
  "logEntries.list": "deploy"
} as const satisfies Readonly<Record<string, Purpose>>

/** The permissions for projects: their number is in the name of the account that is used if none is named. */
export const projectPermissions = {
  "projects.get": "plan"
} as const satisfies Readonly<Record<string, Purpose>>

/** The permissions of Firebase Hosting. The ones for a site hold for its versions, channels and releases. */
export const hostingPermissions = {
  "sites.get": "plan",
  "sites.list": "plan",
  "sites.update": "deploy"
} as const satisfies Readonly<Record<string, Purpose>>

/** A permission of Cloud Run, without `run.`. */
export type RunPermission = keyof typeof runPermissions
