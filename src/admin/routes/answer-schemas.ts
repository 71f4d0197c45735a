/**
 * Answers of the admin API as JSON Schema, in the order of its OpenAPI document. Made of src/admin/api by `npm run docs`,
 * as is what is imported here; a test sees to it that they agree.
 */
import { ADVICE_SCHEMAS } from './answer-schemas/advice.js';
import { CALLERS_SCHEMAS } from './answer-schemas/callers.js';
import { CHANGES_SCHEMAS } from './answer-schemas/changes.js';
import { ERRORS_SCHEMAS } from './answer-schemas/errors.js';
import { GROUPS_SCHEMAS } from './answer-schemas/groups.js';
import { HOT_KEYS_SCHEMAS } from './answer-schemas/hot-keys.js';
import { LOAD_SCHEMAS } from './answer-schemas/load.js';
import { NODES_SCHEMAS } from './answer-schemas/nodes.js';
import { PROCESS_SCHEMAS } from './answer-schemas/process.js';
import { PROXIES_SCHEMAS } from './answer-schemas/proxies.js';
import { RING_SCHEMAS } from './answer-schemas/ring.js';
import { RING_PHASE_SCHEMAS } from './answer-schemas/ring-phase.js';
import { STATS_SCHEMAS } from './answer-schemas/stats.js';
import { STRAYS_SCHEMAS } from './answer-schemas/strays.js';

export const ANSWER_SCHEMAS: Readonly<Record<string, object>> = {
  AdviceView: ADVICE_SCHEMAS.AdviceView,
  AdviceRow: ADVICE_SCHEMAS.AdviceRow,
  ApiError: ERRORS_SCHEMAS.ApiError,
  ArcsView: RING_SCHEMAS.ArcsView,
  RingPhase: RING_PHASE_SCHEMAS.RingPhase,
  AuditView: CALLERS_SCHEMAS.AuditView,
  AuditEntry: CALLERS_SCHEMAS.AuditEntry,
  ChangeAccepted: CHANGES_SCHEMAS.ChangeAccepted,
  ChangeView: CHANGES_SCHEMAS.ChangeView,
  ChangeKind: CHANGES_SCHEMAS.ChangeKind,
  GroupsPreview: GROUPS_SCHEMAS.GroupsPreview,
  HiddenKeysView: GROUPS_SCHEMAS.HiddenKeysView,
  GroupsView: GROUPS_SCHEMAS.GroupsView,
  GroupView: GROUPS_SCHEMAS.GroupView,
  GroupCountsView: GROUPS_SCHEMAS.GroupCountsView,
  HealthView: PROCESS_SCHEMAS.HealthView,
  HistoryEntry: CHANGES_SCHEMAS.HistoryEntry,
  HotView: HOT_KEYS_SCHEMAS.HotView,
  HotKeyView: HOT_KEYS_SCHEMAS.HotKeyView,
  LoadView: LOAD_SCHEMAS.LoadView,
  NodeLoad: LOAD_SCHEMAS.NodeLoad,
  KeyGroupLoad: LOAD_SCHEMAS.KeyGroupLoad,
  ProxyView: PROXIES_SCHEMAS.ProxyView,
  ProxyLoad: PROXIES_SCHEMAS.ProxyLoad,
  ReadyView: PROCESS_SCHEMAS.ReadyView,
  RingView: RING_SCHEMAS.RingView,
  NodeView: NODES_SCHEMAS.NodeView,
  NodeState: NODES_SCHEMAS.NodeState,
  NodeFiguresView: NODES_SCHEMAS.NodeFiguresView,
  NodeEjection: NODES_SCHEMAS.NodeEjection,
  NodeMasterView: NODES_SCHEMAS.NodeMasterView,
  NodeOpinionView: NODES_SCHEMAS.NodeOpinionView,
  CoordinationView: PROXIES_SCHEMAS.CoordinationView,
  StatsView: STATS_SCHEMAS.StatsView,
  WorkerView: STATS_SCHEMAS.WorkerView,
  CommandStats: STATS_SCHEMAS.CommandStats,
  NodeStats: STATS_SCHEMAS.NodeStats,
  KeyGroupStats: STATS_SCHEMAS.KeyGroupStats,
  StrayReport: STRAYS_SCHEMAS.StrayReport,
  NodeStrays: STRAYS_SCHEMAS.NodeStrays,
  WhichView: RING_SCHEMAS.WhichView,
  WhoamiView: CALLERS_SCHEMAS.WhoamiView,
};
