#!/usr/bin/env bash
# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Adds Exchange-like mail attributes to a stopped, freshly provisioned throwaway DC. usage: ad_extend_schema.sh DIR BASE
# OIDs are in OpenLDAP's experimental arc (1.3.6.1.4.1.4203.666): good for tests only, never for a real forest.
# Only names and syntaxes follow Microsoft's public documentation.
set -euo pipefail
dir=${1:?dir}; base=${2:?base dn}
schema="CN=Schema,CN=Configuration,$base"; arc=1.3.6.1.4.1.4203.666.7
T="$dir/run"; n=0; names=()
attr() { # ldapName attributeSyntax oMSyntax single
  n=$((n+1)); names+=("$1")
  printf '%s\n' "dn: CN=$1,$schema" 'changetype: add' 'objectClass: attributeSchema' "cn: $1" "lDAPDisplayName: $1" "adminDisplayName: $1" \
    "attributeID: $arc.1.$n" "attributeSyntax: $2" "oMSyntax: $3" "isSingleValued: $4" 'systemOnly: FALSE' 'isMemberOfPartialAttributeSet: TRUE' 'searchFlags: 1' ''
}
{
  attr targetAddress 2.5.5.12 64 TRUE
  attr mailNickname 2.5.5.12 64 TRUE
  attr msExchMasterAccountSid 2.5.5.17 4 TRUE
  attr msExchHideFromAddressLists 2.5.5.8 1 TRUE
  attr msExchRecipientTypeDetails 2.5.5.16 65 TRUE
  attr msExchRecipientDisplayType 2.5.5.9 2 TRUE
  attr msExchMailboxGuid 2.5.5.10 4 TRUE
  attr msExchHomeServerName 2.5.5.12 64 TRUE
  attr homeMDB 2.5.5.12 64 TRUE
  for i in $(seq 1 15); do attr extensionAttribute$i 2.5.5.12 64 TRUE; done
} > "$T/exch-attrs.ldif"
{
  printf '%s\n' "dn: CN=testMailRecipient,$schema" 'changetype: add' 'objectClass: classSchema' 'cn: testMailRecipient' 'lDAPDisplayName: testMailRecipient' \
    "governsID: $arc.2.1" 'objectClassCategory: 3' 'subClassOf: top' 'systemOnly: FALSE' 'defaultHidingValue: TRUE'
  for a in "${names[@]}" proxyAddresses legacyExchangeDN showInAddressBook textEncodedORAddress mail; do echo "mayContain: $a"; done
  echo
} > "$T/exch-class.ldif"
for c in User Group Contact; do
  printf '%s\n' "dn: CN=$c,$schema" 'changetype: modify' 'add: auxiliaryClass' 'auxiliaryClass: testMailRecipient' '-' ''
done > "$T/exch-aux.ldif"
# one process per step: each loads the schema as the step before left it
for f in attrs class aux; do
  ldbmodify --configfile="$dir/etc/smb.conf" -H "$dir/private/sam.ldb" --option='dsdb:schema update allowed=yes' "$T/exch-$f.ldif"
done
