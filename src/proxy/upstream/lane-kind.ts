/** What makes a lane that of its kind: commands of one kind share lanes, others never do. */
export interface LaneKind {
  readonly protocol: 2 | 3;
  readonly database: number;
}
