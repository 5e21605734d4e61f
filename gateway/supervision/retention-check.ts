// Whether the configured retention keeps keys for as long as an operator's rounds and holds may
// live (rule 7): otherwise a late repeat could be executed twice. setOperator checks new
// definitions; this checks the known ones against a retention that was set lower since. Lane's
// thread, after recovery.
import { DAY_MS } from '../../core/limits.ts';
import type { OperatorPolicies } from '../../core/policies/operator-definition.ts';

/** An operator as the check sees it. */
interface OperatorAges {
  readonly name: string;
  readonly policies: Pick<OperatorPolicies, 'roundAgeMs' | 'holdExpiryMaxMs'>;
}

/** The reason to refuse the start, or '' when the retention covers every operator. */
export function refuseRetention(operators: Iterable<OperatorAges>, retentionMs: number): string {
  for (const { name, policies } of operators) {
    const neededMs = Math.max(policies.roundAgeMs, policies.holdExpiryMaxMs);
    if (neededMs <= retentionMs) continue;
    return (
      `Cannot start because KASSA_RETENTION_DAYS must be at least every operator's round age and ` +
      `hold expiry: ${retentionMs / DAY_MS} days, operator ${name} has ${neededMs / DAY_MS} days` +
      `. Set it to ${Math.ceil(neededMs / DAY_MS)}, or lower the operator's roundAgeMs and ` +
      'holdExpiryMaxMs first.'
    );
  }
  return '';
}
