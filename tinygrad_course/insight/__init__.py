"""Why is this gradient this number?"""
