/**
 * Who may deploy what runs as a service account, and the projects that such an account belongs to.
 */
import { ApiError, errorInfo } from "./ApiError.ts"
import { projectNumber } from "./Knative.ts"
import type { Handler } from "./RunState.ts"

export const iamService = "google.iam.admin.v1.IAM"
export const projectsService = "google.cloud.resourcemanager.v1.Projects"

const permission = "iam.serviceAccounts.actAs"
const defaultAccount = `${projectNumber}-compute@developer.gserviceaccount.com`

interface Running {
  readonly serviceAccount?: string
  /** The template of a job has the one of its tasks inside. */
  readonly template?: Running
}

type Handlers = Readonly<Record<string, Handler>>

/** Changes of a service or a job that say how it runs. */
const changes: Readonly<Record<string, string>> = {
  CreateService: "service",
  UpdateService: "service",
  CreateJob: "job",
  UpdateJob: "job"
}

export class Iam {
  readonly #refused = new Set<string>()

  /** By the name of the service and of the method. */
  readonly handlers: Readonly<Record<string, Handlers>> = {
    [iamService]: {
      TestIamPermissions: ({ account, permissions }) => ({
        permissions: (permissions as ReadonlyArray<string>).filter(
          (one) => one !== permission || !this.#refused.has(String(account))
        )
      })
    },
    [projectsService]: { GetProject: ({ project }) => ({ projectId: project ?? "", projectNumber }) }
  }

  /** Whether the deployer may act as an account; the one that is used if none is named by default. */
  actAs(allowed: boolean, account = defaultAccount): void {
    if (allowed) this.#refused.delete(account)
    else this.#refused.add(account)
  }

  /** The handlers, which refuse what runs as an account that may not be used. */
  guarding(handlers: Handlers): Handlers {
    return Object.fromEntries(
      Object.entries(handlers).map(([name, handler]): [string, Handler] => [
        name,
        (request, principal) => {
          const { template } = (request[changes[name] ?? ""] ?? {}) as { readonly template?: Running }
          if (template !== undefined) this.#check(template)
          return handler(request, principal)
        }
      ])
    )
  }

  #check({ serviceAccount, template }: Running): void {
    const account = (template === undefined ? serviceAccount : template.serviceAccount) || defaultAccount
    if (!this.#refused.has(account)) return
    throw new ApiError(
      "PERMISSION_DENIED",
      `Permission '${permission}' denied on service account ${account} (or it may not exist).`,
      [errorInfo("IAM_PERMISSION_DENIED", { permission }, "iam.googleapis.com")]
    )
  }
}
