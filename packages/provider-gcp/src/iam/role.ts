/**
 * The smallest role with which the plug-in works.
 */
import {
  hostingPermissions,
  loggingPermissions,
  monitoringPermissions,
  projectPermissions,
  type Purpose,
  runPermissions
} from "../client/permissions.ts"

/** What a role is for; `services` are the kinds of stacks that it is for, by default both. */
export interface RoleRequest {
  readonly purpose: Purpose
  readonly services?: ReadonlyArray<"run" | "hosting">
  /** Whether services may be opened to everyone: `public` of the properties. */
  readonly public?: boolean
}

/** A custom role, as `gcloud iam roles create --file` takes it. */
export interface Role {
  readonly title: string
  readonly description: string
  readonly stage: "GA"
  readonly includedPermissions: ReadonlyArray<string>
}

const titles = { plan: "Signalbox: look and plan", deploy: "Signalbox: deploy" } as const
const descriptions = {
  plan: "Status and previews of deployments with Signalbox",
  deploy: "Deploys, rolls back and destroys with Signalbox"
} as const

/** The role for a purpose. Who may deploy may also plan. */
export const roleFor = ({ public: open = false, purpose, services = ["run", "hosting"] }: RoleRequest): Role => {
  const of = (service: string, permissions: Readonly<Record<string, Purpose>>) =>
    Object.entries(permissions).flatMap(([name, needs]) =>
      purpose === "deploy" || needs === "plan" ? [`${service}.${name}`] : []
    )
  const includedPermissions = [
    ...(services.includes("run")
      ? [
          ...of("run", runPermissions),
          ...of("monitoring", monitoringPermissions),
          ...of("logging", loggingPermissions),
          ...of("resourcemanager", projectPermissions)
        ]
      : []),
    ...(services.includes("hosting") ? of("firebasehosting", hostingPermissions) : []),
    ...(open && purpose === "deploy" ? ["run.services.setIamPolicy"] : [])
  ]
  return {
    title: titles[purpose],
    description: descriptions[purpose],
    stage: "GA",
    includedPermissions: includedPermissions.sort()
  }
}
