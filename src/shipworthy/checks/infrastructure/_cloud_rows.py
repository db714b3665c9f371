"""Which setting of which resource breaks which rule, as data: the setting, the values that are bad, and a good one.

Sources: the references of the providers hashicorp/aws 5, azurerm 4 and google 6, and of CloudFormation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from shipworthy.checks.infrastructure import _cloud_rules as rules
from shipworthy.model import Rule
from shipworthy.records import dataclass


class _Absent:
    """The setting is not there; what the provider does then is bad."""

    def __repr__(self) -> str:
        return "not set"


ABSENT: Final = _Absent()


@dataclass(frozen=True)
class Row:
    """One setting: of resources of `type`, at `path` (parts joined by dots), `bad` values and a `good` one."""

    rule: Rule
    type: str
    path: str
    bad: tuple[Any, ...]
    good: Any


def _rows(table: tuple[tuple[Rule, tuple[Any, ...], Any, str], ...]) -> Iterator[Row]:
    for rule, bad, good, places in table:
        for place in places.split():
            kind, _, path = place.partition("/")
            yield Row(rule, kind, path, bad, good)


_OFF, _ON = (ABSENT, False), (True,)
_TERRAFORM = (
    (rules.STORAGE_PUBLIC, ("public-read", "public-read-write", "authenticated-read", "website"), "private",
     "aws_s3_bucket/acl aws_s3_bucket_acl/acl"),
    (rules.STORAGE_PUBLIC, ("blob", "container"), "private", "azurerm_storage_container/container_access_type"),
    (rules.STORAGE_PUBLIC, ("allUsers", "allAuthenticatedUsers"), "user:a@example.org",
     """google_storage_bucket_iam_member/member google_storage_bucket_access_control/entity
     google_storage_default_object_access_control/entity google_bigquery_dataset_iam_member/member"""),
    (rules.NO_PUBLIC_BLOCK, _OFF, True,
     """aws_s3_bucket_public_access_block/block_public_acls aws_s3_bucket_public_access_block/block_public_policy
     aws_s3_bucket_public_access_block/ignore_public_acls aws_s3_bucket_public_access_block/restrict_public_buckets
     google_storage_bucket/uniform_bucket_level_access"""),
    (rules.NO_PUBLIC_BLOCK, (ABSENT, True), False, "azurerm_storage_account/allow_nested_items_to_be_public"),
    (rules.UNENCRYPTED, _OFF, True,
     """aws_db_instance/storage_encrypted aws_rds_cluster/storage_encrypted aws_ebs_volume/encrypted
     aws_efs_file_system/encrypted aws_redshift_cluster/encrypted aws_docdb_cluster/storage_encrypted
     aws_neptune_cluster/storage_encrypted aws_elasticsearch_domain/encrypt_at_rest.enabled
     aws_opensearch_domain/encrypt_at_rest.enabled aws_elasticache_replication_group/at_rest_encryption_enabled
     aws_instance/root_block_device.encrypted aws_launch_template/block_device_mappings.ebs.encrypted
     aws_dax_cluster/server_side_encryption.enabled"""),
    (rules.UNENCRYPTED, (False,), True, "aws_ebs_encryption_by_default/enabled aws_athena_workgroup/encrypted"),
    (rules.UNENCRYPTED, (ABSENT,), "a-key",
     """aws_sns_topic/kms_master_key_id aws_cloudwatch_log_group/kms_key_id aws_sagemaker_notebook_instance/kms_key_id
     aws_eks_cluster/encryption_config.provider.key_arn aws_sagemaker_endpoint_configuration/kms_key_arn
     google_container_cluster/database_encryption.key_name"""),
    (rules.TRANSIT, ("HTTP", "http"), "HTTPS", "aws_alb_target_group/protocol"),
    (rules.TRANSIT, ("allow-all",), "redirect-to-https",
     "aws_cloudfront_distribution/default_cache_behavior.viewer_protocol_policy"),
    (rules.TRANSIT, ("http-only",), "https-only",
     "aws_cloudfront_distribution/origin.custom_origin_config.origin_protocol_policy"),
    (rules.TRANSIT, _OFF, True,
     """aws_elasticache_replication_group/transit_encryption_enabled azurerm_linux_web_app/https_only
     azurerm_windows_web_app/https_only azurerm_app_service/https_only azurerm_linux_function_app/https_only
     aws_elasticsearch_domain/node_to_node_encryption.enabled aws_opensearch_domain/node_to_node_encryption.enabled
     aws_opensearch_domain/domain_endpoint_options.enforce_https"""),
    (rules.TRANSIT, (False,), True,
     """azurerm_storage_account/enable_https_traffic_only azurerm_storage_account/https_traffic_only_enabled
     azurerm_postgresql_server/ssl_enforcement_enabled azurerm_mysql_server/ssl_enforcement_enabled"""),
    (rules.TRANSIT, _ON, False, "azurerm_redis_cache/enable_non_ssl_port azurerm_redis_cache/non_ssl_port_enabled"),
    (rules.TRANSIT, ("ALLOW_UNENCRYPTED_AND_ENCRYPTED",), "ENCRYPTED_ONLY",
     "google_sql_database_instance/settings.ip_configuration.ssl_mode"),
    (rules.OLD_TLS, ("TLS1_0", "TLS1_1", "1.0", "1.1", "TLSEnforcementDisabled"), "TLS1_2",
     """azurerm_storage_account/min_tls_version azurerm_mssql_server/minimum_tls_version
     azurerm_redis_cache/minimum_tls_version azurerm_postgresql_server/ssl_minimal_tls_version_enforced
     azurerm_linux_web_app/site_config.minimum_tls_version"""),
    (rules.OLD_TLS, (ABSENT, "SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016"), "TLSv1.2_2021",
     "aws_cloudfront_distribution/viewer_certificate.minimum_protocol_version"),
    (rules.OLD_TLS, (ABSENT, "TLS_1_0"), "TLS_1_2", "google_compute_ssl_policy/min_tls_version"),
    (rules.OLD_TLS, ("TLS_1_0",), "TLS_1_2", "aws_api_gateway_domain_name/security_policy"),
    (rules.OLD_TLS, (ABSENT, "Policy-Min-TLS-1-0-2019-07"), "Policy-Min-TLS-1-2-2019-07",
     "aws_opensearch_domain/domain_endpoint_options.tls_security_policy"),
    (rules.DATABASE_PUBLIC, _ON, False,
     """aws_db_instance/publicly_accessible aws_rds_cluster_instance/publicly_accessible
     aws_dms_replication_instance/publicly_accessible aws_mq_broker/publicly_accessible
     google_sql_database_instance/settings.ip_configuration.ipv4_enabled"""),
    (rules.DATABASE_PUBLIC, (ABSENT, True), False,
     """aws_redshift_cluster/publicly_accessible azurerm_mssql_server/public_network_access_enabled
     azurerm_postgresql_server/public_network_access_enabled azurerm_mysql_server/public_network_access_enabled
     azurerm_cosmosdb_account/public_network_access_enabled azurerm_key_vault/public_network_access_enabled"""),
    (rules.DATABASE_PUBLIC, ("0.0.0.0/0", "::/0"), "10.0.0.0/8",
     "google_sql_database_instance/settings.ip_configuration.authorized_networks.value"),
    (rules.METADATA, (ABSENT, "optional"), "required",
     "aws_instance/metadata_options.http_tokens aws_launch_template/metadata_options.http_tokens"),
    (rules.NO_LOGGING, (False,), True, "aws_cloudtrail/enable_logging"),
    (rules.NO_LOGGING, _OFF, True,
     """aws_cloudtrail/enable_log_file_validation aws_cloudtrail/is_multi_region_trail
     aws_lb/access_logs.enabled aws_alb/access_logs.enabled google_compute_subnetwork/log_config.flow_sampling"""),
    (rules.NO_LOGGING, (ABSENT,), "a",
     "aws_cloudfront_distribution/logging_config.bucket aws_eks_cluster/enabled_cluster_log_types"),
    (rules.NO_LOGGING, ("none",), "logging.googleapis.com/kubernetes", "google_container_cluster/logging_service"),
    (rules.NO_BACKUP, _OFF, True,
     """aws_rds_cluster/deletion_protection aws_db_instance/deletion_protection
     azurerm_key_vault/purge_protection_enabled
     google_storage_bucket/versioning.enabled aws_dynamodb_table/point_in_time_recovery.enabled
     google_sql_database_instance/settings.backup_configuration.enabled"""),
    (rules.NO_BACKUP, (0,), 7, "aws_db_instance/backup_retention_period aws_rds_cluster/backup_retention_period"),
    (rules.KEY_ROTATION, _OFF, True, "aws_kms_key/enable_key_rotation"),
    (rules.KEY_ROTATION, (ABSENT,), "7776000s", "google_kms_crypto_key/rotation_period"),
    (rules.PUBLIC_ADDRESS, _ON, False,
     """aws_instance/associate_public_ip_address aws_launch_configuration/associate_public_ip_address
     aws_launch_template/network_interfaces.associate_public_ip_address aws_subnet/map_public_ip_on_launch
     aws_ecs_service/network_configuration.assign_public_ip"""),
    (rules.PUBLIC_ADDRESS, (ABSENT, "Enabled"), "Disabled", "aws_sagemaker_notebook_instance/direct_internet_access"),
    (rules.REGISTRY, (ABSENT, "MUTABLE"), "IMMUTABLE", "aws_ecr_repository/image_tag_mutability"),
    (rules.CLUSTER_PUBLIC, (ABSENT, True), False, "aws_eks_cluster/vpc_config.endpoint_public_access"),
    (rules.CLUSTER_PUBLIC, _OFF, True,
     """google_container_cluster/private_cluster_config.enable_private_nodes
     azurerm_kubernetes_cluster/private_cluster_enabled"""),
    (rules.WEAK_LOGIN, _ON, False,
     """google_container_cluster/enable_legacy_abac azurerm_container_registry/admin_enabled
     google_compute_instance/metadata.serial-port-enable google_project/auto_create_network"""),
    (rules.WEAK_LOGIN, (False,), True,
     """azurerm_linux_virtual_machine/disable_password_authentication
     azurerm_kubernetes_cluster/role_based_access_control_enabled
     azurerm_linux_virtual_machine_scale_set/disable_password_authentication"""),
    (rules.WEAK_LOGIN, (ABSENT, "Enabled"), "Disabled", "aws_sagemaker_notebook_instance/root_access"),
    (rules.UNENCRYPTED, _OFF, True,
     """aws_neptune_cluster_snapshot/storage_encrypted aws_db_snapshot_copy/encrypted aws_ami/ebs_block_device.encrypted
     aws_workspaces_workspace/root_volume_encryption_enabled aws_workspaces_workspace/user_volume_encryption_enabled
     azurerm_linux_virtual_machine/encryption_at_host_enabled azurerm_windows_virtual_machine/encryption_at_host_enabled
     aws_api_gateway_method_settings/settings.cache_data_encrypted"""),
    (rules.TRANSIT, ("http", "HTTP"), "https",
     "aws_elb/listener.lb_protocol azurerm_application_gateway/http_listener.protocol"),
    (rules.TRANSIT, ("AllAllowed",), "Disabled",
     "azurerm_linux_web_app/site_config.ftps_state azurerm_app_service/site_config.ftps_state"),
    (rules.OLD_TLS, ("TLSv1_0", "TLSv1_1"), "TLSv1_2", "azurerm_application_gateway/ssl_policy.min_protocol_version"),
    (rules.NO_LOGGING, (ABSENT,), "a",
     """aws_elb/access_logs.bucket aws_db_instance/enabled_cloudwatch_logs_exports aws_msk_cluster/logging_info
     aws_api_gateway_stage/access_log_settings.destination_arn google_storage_bucket/logging.log_bucket"""),
    (rules.NETWORK_OPEN, ("Allow",), "Deny",
     """azurerm_storage_account/network_rules.default_action azurerm_key_vault/network_acls.default_action
     azurerm_storage_account_network_rules/default_action"""),
    (rules.CLUSTER_PUBLIC, (ABSENT,), "10.0.0.0/8",
     """google_container_cluster/master_authorized_networks_config.cidr_blocks.cidr_block
     azurerm_kubernetes_cluster/api_server_access_profile.authorized_ip_ranges"""),
    (rules.WEAK_LOGIN, ("NONE",), "AWS_IAM", "aws_lambda_function_url/authorization_type"),
    (rules.TASK, _ON, False,
     "aws_codebuild_project/environment.privileged_mode aws_batch_job_definition/container_properties.privileged"),
)  # fmt: skip
_CLOUDFORMATION = (
    (rules.STORAGE_PUBLIC, ("PublicRead", "PublicReadWrite", "AuthenticatedRead"), "Private",
     "AWS::S3::Bucket/AccessControl"),
    (rules.NO_PUBLIC_BLOCK, _OFF, True,
     """AWS::S3::Bucket/PublicAccessBlockConfiguration.BlockPublicAcls
     AWS::S3::Bucket/PublicAccessBlockConfiguration.BlockPublicPolicy
     AWS::S3::Bucket/PublicAccessBlockConfiguration.IgnorePublicAcls
     AWS::S3::Bucket/PublicAccessBlockConfiguration.RestrictPublicBuckets"""),
    (rules.UNENCRYPTED, _OFF, True,
     """AWS::RDS::DBInstance/StorageEncrypted AWS::RDS::DBCluster/StorageEncrypted AWS::EC2::Volume/Encrypted
     AWS::EFS::FileSystem/Encrypted AWS::Redshift::Cluster/Encrypted AWS::DocDB::DBCluster/StorageEncrypted
     AWS::Neptune::DBCluster/StorageEncrypted AWS::OpenSearchService::Domain/EncryptionAtRestOptions.Enabled
     AWS::Elasticsearch::Domain/EncryptionAtRestOptions.Enabled AWS::DAX::Cluster/SSESpecification.SSEEnabled
     AWS::ElastiCache::ReplicationGroup/AtRestEncryptionEnabled"""),
    (rules.UNENCRYPTED, (ABSENT,), "a-key",
     """AWS::SNS::Topic/KmsMasterKeyId AWS::Logs::LogGroup/KmsKeyId AWS::SageMaker::NotebookInstance/KmsKeyId
     AWS::SageMaker::EndpointConfig/KmsKeyId"""),
    (rules.TRANSIT, _OFF, True,
     """AWS::ElastiCache::ReplicationGroup/TransitEncryptionEnabled
     AWS::OpenSearchService::Domain/NodeToNodeEncryptionOptions.Enabled
     AWS::OpenSearchService::Domain/DomainEndpointOptions.EnforceHTTPS"""),
    (rules.TRANSIT, ("allow-all",), "https-only",
     "AWS::CloudFront::Distribution/DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy"),
    (rules.OLD_TLS, (ABSENT, "SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016"), "TLSv1.2_2021",
     "AWS::CloudFront::Distribution/DistributionConfig.ViewerCertificate.MinimumProtocolVersion"),
    (rules.OLD_TLS, ("TLS_1_0",), "TLS_1_2", "AWS::ApiGateway::DomainName/SecurityPolicy"),
    (rules.DATABASE_PUBLIC, _ON, False,
     """AWS::RDS::DBInstance/PubliclyAccessible AWS::DMS::ReplicationInstance/PubliclyAccessible
     AWS::AmazonMQ::Broker/PubliclyAccessible AWS::Redshift::Cluster/PubliclyAccessible"""),
    (rules.METADATA, (ABSENT, "optional"), "required",
     "AWS::EC2::LaunchTemplate/LaunchTemplateData.MetadataOptions.HttpTokens"),
    (rules.NO_LOGGING, (False,), True, "AWS::CloudTrail::Trail/IsLogging"),
    (rules.NO_LOGGING, _OFF, True,
     "AWS::CloudTrail::Trail/EnableLogFileValidation AWS::CloudTrail::Trail/IsMultiRegionTrail"),
    (rules.NO_LOGGING, (ABSENT,), "a",
     """AWS::S3::Bucket/LoggingConfiguration AWS::CloudFront::Distribution/DistributionConfig.Logging.Bucket
     AWS::EKS::Cluster/Logging"""),
    (rules.NO_BACKUP, _OFF, True,
     """AWS::RDS::DBCluster/DeletionProtection AWS::RDS::DBInstance/DeletionProtection
     AWS::DynamoDB::Table/PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"""),
    (rules.NO_BACKUP, (ABSENT, "Suspended"), "Enabled", "AWS::S3::Bucket/VersioningConfiguration.Status"),
    (rules.NO_BACKUP, (0,), 7, "AWS::RDS::DBInstance/BackupRetentionPeriod AWS::RDS::DBCluster/BackupRetentionPeriod"),
    (rules.KEY_ROTATION, _OFF, True, "AWS::KMS::Key/EnableKeyRotation"),
    (rules.PUBLIC_ADDRESS, _ON, False,
     "AWS::EC2::Subnet/MapPublicIpOnLaunch AWS::AutoScaling::LaunchConfiguration/AssociatePublicIpAddress"),
    (rules.PUBLIC_ADDRESS, (ABSENT, "Enabled"), "Disabled", "AWS::SageMaker::NotebookInstance/DirectInternetAccess"),
    (rules.REGISTRY, (ABSENT, "MUTABLE"), "IMMUTABLE", "AWS::ECR::Repository/ImageTagMutability"),
    (rules.CLUSTER_PUBLIC, (ABSENT, True), False, "AWS::EKS::Cluster/ResourcesVpcConfig.EndpointPublicAccess"),
    (rules.WEAK_LOGIN, (ABSENT, "Enabled"), "Disabled", "AWS::SageMaker::NotebookInstance/RootAccess"),
    (rules.TASK, _ON, False,
     "AWS::CodeBuild::Project/Environment.PrivilegedMode AWS::ECS::TaskDefinition/ContainerDefinitions.Privileged"),
)  # fmt: skip
TERRAFORM: Final = tuple(_rows(_TERRAFORM))
CLOUDFORMATION: Final = tuple(_rows(_CLOUDFORMATION))
