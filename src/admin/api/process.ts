/** Whether the process lives, and serves. */

/** `GET /healthz`: the process lives. */
export interface HealthView {
  status: 'ok';
}

/** `GET /readyz`, when clients can be served; otherwise an error says why not. */
export interface ReadyView {
  status: 'ready';
}
