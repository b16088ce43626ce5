"""What a library says of its APIs: which of it fits what somebody is about to write."""
