Feature: What a plan must not create
  Looked at in every plan, beside the project's own features. The tag of a scenario names the rule.

  @cloud-storage-public
  Scenario: Buckets are not open to everybody
    Given I have aws_s3_bucket defined
    When it has acl
    Then it must contain acl
    And its value must not match the "(public-.*|authenticated-read)" regex

  @cloud-storage-public
  Scenario: Access lists of buckets are not open to everybody
    Given I have aws_s3_bucket_acl defined
    When it has acl
    Then it must contain acl
    And its value must not match the "(public-.*|authenticated-read)" regex

  @cloud-network-open
  Scenario: Ports of administrators and databases are not open to the internet
    Given I have aws_security_group defined
    When it has ingress
    Then it must contain ingress
    And it must not have tcp protocol and port 22,3306,3389,5432,6379,27017 for 0.0.0.0/0

  @cloud-unencrypted
  Scenario: Disks say that they are encrypted
    Given I have aws_ebs_volume defined
    Then it must contain encrypted

  @cloud-unencrypted
  Scenario: Disks are encrypted
    Given I have aws_ebs_volume defined
    When it has encrypted
    Then it must contain encrypted
    And its value must be true

  @cloud-unencrypted
  Scenario: Databases say that they are encrypted
    Given I have aws_db_instance defined
    Then it must contain storage_encrypted

  @cloud-unencrypted
  Scenario: Databases are encrypted
    Given I have aws_db_instance defined
    When it has storage_encrypted
    Then it must contain storage_encrypted
    And its value must be true

  @cloud-database-public
  Scenario: Databases have no public address
    Given I have aws_db_instance defined
    When it has publicly_accessible
    Then it must contain publicly_accessible
    And its value must be false
